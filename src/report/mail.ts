import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import { findPackageRoot } from '../config/package-root.js';
import type { Block } from '../core/block.js';
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
  const names = [...new Set(failed.map(({ firewall }) => firewall))].join(', ');
  return { subject: cut(`[firebreak] ${names}: ${count} ${lack}: ${first.flow.source}`, 78), text };
}

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}~` : text);
