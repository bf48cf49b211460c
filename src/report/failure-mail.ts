import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import { findPackageRoot } from '../config/package-root.js';
import type { Block } from '../core/block.js';
import { causeOf } from '../core/incident.js';
import { describeFlow } from '../core/describe-flow.js';

export interface FailureMail {
  subject: string;
  text: string;
}

/** More blocks than these are counted, not listed. */
const mostListed = 20;

/**
 * Says who is not blocked, why, and what to type. Nothing in it is secret.
 * @param record the folder that tells the run's whole story
 */
export function renderFailureMail(failed: readonly Block[], record: string, host = hostname()): FailureMail {
  const [first] = failed;
  if (first === undefined) throw new Error('no failed block: no mail');
  const count = failed.length === 1 ? '1 block' : `${failed.length} blocks`;
  const lack = failed.every(({ wanted }) => wanted === 'absent') ? 'NOT released' : 'NOT in force';
  const template = readFileSync(join(findPackageRoot(), 'templates', 'mail', 'failure.txt.hbs'), 'utf8');
  const text = Handlebars.create().compile(template, { noEscape: true, strict: true })({
    headline: `${count} ${lack}`,
    since: new Date(Math.min(...failed.map(beganAt))).toISOString(),
    alarms: failed.reduce((sum, { alarms }) => sum + alarms, 0),
    sources: countTop(failed.map(({ flow }) => flow.source)),
    destinations: countTop(failed.map(({ flow }) => flow.destination)),
    host,
    record,
    more: Math.max(0, failed.length - mostListed),
    blocks: failed.slice(0, mostListed).map((block) => ({
      what: describeFlow(block.flow),
      firewall: block.firewall,
      reason: block.reason ?? '',
      next: block.state === 'failed' ? 'given up' : 'tried again by itself',
      id: block.id,
      tracker: block.tracker,
      alarms: block.alarms,
    })),
  });
  const why = failed.length === 1 ? first.flow.source : `${describeCause(failed)} since ${formatSince(failed)}`;
  const names = [...new Set(failed.map(({ firewall }) => firewall))].join(', ');
  return { subject: cut(`[firebreak] ${names}: ${count} ${lack}: ${why}`, 78), text };
}

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}~` : text);

const beganAt = ({ failingSince, updatedAt }: Block): number => failingSince ?? updatedAt;

/** `03:12`, on this host's clock. */
const formatSince = (failed: readonly Block[]): string =>
  new Date(Math.min(...failed.map(beganAt))).toTimeString().slice(0, 5);

function describeCause(failed: readonly Block[]): string {
  const causes = [...new Set(failed.map(causeOf))].map((cause) => cause.replaceAll('_', ' '));
  return causes.length > 1 ? `${causes[0]} and more` : (causes[0] ?? '');
}

/** Who is met most, with how many blocks. */
function countTop(addresses: readonly string[], most = 10): { address: string; blocks: number }[] {
  const counts = new Map<string, number>();
  for (const address of addresses) counts.set(address, (counts.get(address) ?? 0) + 1);
  return [...counts]
    .map(([address, blocks]) => ({ address, blocks }))
    .sort((one, other) => other.blocks - one.blocks || (one.address < other.address ? -1 : 1))
    .slice(0, most);
}
