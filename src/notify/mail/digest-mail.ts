import type { Block } from '../../core/block.js';
import type { DigestDay } from '../../core/digest-day.js';
import { nextOf } from './failure-mail.js';
import { formatLocal } from '../../core/local-time.js';
import { countTop, toMailBlock, type AlarmsOf, type Figure } from './mail-block.js';
import { renderMail, type Mail, type MailFacts, type MailSetting } from './mail-template.js';
import { count, fitSubject } from './mail-words.js';

export interface Digest {
  day: DigestDay;
  /** Blocks that something happened to since the day began. */
  recent: readonly Block[];
  /** Blocks that are held, wait for their next try, or were given up. */
  open: readonly Block[];
  /** The alarms of the open ones that are listed. */
  alarms: AlarmsOf;
  firewalls: readonly FirewallDigest[];
  /** Where the audit log ends: kept elsewhere, it tells a log that was made anew. Null before its first entry. */
  audit: { seq: number; hash: string } | null;
  now: number;
}

/** One firewall as it stands now. */
export interface FirewallDigest {
  name: string;
  active: number;
  /** Since when it is not as the ledger says; null where it is, as far as anybody looked. */
  driftSince: number | null;
}

/** More open blocks than these are counted, not listed. */
export const mostOpen = 10;

/** Says what happened in a day, how it stands now, and what waits for somebody. */
export function renderDigestMail(
  { day, recent, open, alarms, firewalls, audit, now }: Digest,
  setting: MailSetting,
): Mail {
  const isIn = (ms: number): boolean => ms >= day.from && ms < day.to;
  const made = recent.filter(({ createdAt, state }) => isIn(createdAt) && state !== 'refused');
  const countEnded = (how: Block['state']): number =>
    recent.filter(({ state, updatedAt }) => state === how && isIn(updatedAt)).length;
  const held = open.filter(({ state }) => state === 'held').length;
  const failing = open.length - held;
  const active = firewalls.reduce((sum, each) => sum + each.active, 0);
  const drifted = firewalls.filter(({ driftSince }) => driftSince !== null);
  const waits = [
    ...(failing > 0 ? [`${failing} FAILING`] : []),
    ...(held > 0 ? [`${held} HELD`] : []),
    ...(drifted.length > 0 ? [`${drifted.length} with DRIFT`] : []),
  ];
  const state = waits.length > 0 ? waits.join(', ') : 'all well';
  const facts = {
    subject: fitSubject(
      `[firebreak] ${day.name}: ${count(made.length, 'new block')}, ${active} in force, ${state}`,
      `[firebreak] ${day.name}: ${active} in force, ${state}`,
      `[firebreak] ${day.name}: ${state}`,
    ),
    headline: `The day to ${day.name}: ${state}`,
    lead: `${count(made.length, 'new block')} from ${formatLocal(day.from)} to ${formatLocal(day.to)}; ${active} in force now.`,
    tone: failing > 0 ? 'bad' : waits.length > 0 ? 'warn' : 'plain',
    actions: findActions({ failing, held, drifted }),
    figures: [
      { name: 'new blocks', value: made.length, remark: '' },
      { name: 'alarms for them', value: made.reduce((sum, each) => sum + each.alarms, 0), remark: '' },
      { name: 'released', value: countEnded('released'), remark: '' },
      { name: 'refused', value: countEnded('refused'), remark: 'by policy or by a person' },
      { name: 'failing now', value: failing, remark: '' },
      { name: 'held now', value: held, remark: '' },
    ] satisfies Figure[],
    firewalls: firewalls.map(({ name, active, driftSince }) => ({
      name,
      active,
      failing: open.filter(({ firewall, state }) => firewall === name && state !== 'held').length,
      drift: driftSince === null ? '' : `differs from the ledger since ${formatLocal(driftSince)}`,
    })),
    blocks: open.slice(0, mostOpen).map((block) => ({
      ...toMailBlock(block, alarms.get(block.id)),
      next: block.state === 'held' ? 'held until somebody approves it' : nextOf(block, now),
    })),
    more: Math.max(0, open.length - mostOpen),
    audit: audit === null ? '' : `${audit.seq}:${audit.hash.slice(0, 32)}`,
    sources: countTop(made, 'source'),
    destinations: countTop(made, 'destination'),
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('digest', facts, setting);
}

interface Waiting {
  failing: number;
  held: number;
  drifted: readonly FirewallDigest[];
}

const findActions = ({ failing, held, drifted }: Waiting): MailFacts['actions'] => [
  ...(failing > 0
    ? [
        { what: 'see what is wrong, step by step', command: 'firebreak doctor' },
        { what: 'try what fails again now', command: 'firebreak retry --all' },
      ]
    : []),
  ...(held > 0 ? [{ what: 'look at what is held', command: 'firebreak list --state held' }] : []),
  ...drifted.map(({ name }) => ({
    what: `see how ${name} differs from the ledger`,
    command: `firebreak reconcile --firewall ${name}`,
  })),
  { what: 'see what stands', command: 'firebreak list' },
];
