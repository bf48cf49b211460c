import type { Block } from '../../core/block.js';
import { formatDuration } from '../../core/duration.js';
import { mostListed, toMailBlock, type AlarmsOf, type Figure, type Met } from './mail-block.js';
import { renderMail, type Mail, type MailFacts, type MailSetting } from './mail-template.js';
import { fitSubject } from './mail-words.js';

/** What came, in figures: see the ledger's `loadStats`. */
export interface HeldFigures {
  held: number;
  enforced: number;
  lastMinute: number;
  sources: Met[];
  destinations: Met[];
}

export interface HeldLimits {
  per_minute: number;
  active: number;
  per_destination: number;
  hold_for: number;
}

export interface Held {
  figures: HeldFigures;
  limits: HeldLimits;
  /** The blocks that are held, and the alarms of those that are listed. */
  blocks: readonly Block[];
  alarms: AlarmsOf;
}

/** Says that blocks wait for somebody, how many, whom they are about, and what to type. */
export function renderHeldMail({ figures, limits, blocks, alarms }: Held, setting: MailSetting): Mail {
  const [top] = figures.sources;
  const begin = '[firebreak] HELD: new blocks wait for approval';
  const facts = {
    subject: fitSubject(top === undefined ? begin : `${begin}, most for ${top.address}`, begin),
    headline: 'New blocks are HELD until somebody approves them',
    lead: 'More alarms came than may be blocked without somebody looking. What is held is NOT in force.',
    tone: 'warn',
    actions: [
      { what: 'look at what is held', command: 'firebreak list --state held' },
      { what: 'have all of it blocked', command: 'firebreak approve --all' },
      { what: 'refuse all of it', command: 'firebreak reject --all' },
      { what: 'stop all changes of firewalls', command: 'firebreak freeze' },
    ],
    next: [
      'Further alarms beyond the limits are held as well. This is the only mail about it until none is held any more.',
      'A held block goes on by itself where its alarm comes again and there is room by then.',
      `What nobody approves within ${formatDuration(limits.hold_for)} is refused.`,
    ],
    figures: [
      { name: 'held now', value: figures.held, remark: '' },
      { name: 'new in the last minute', value: figures.lastMinute, remark: `limit ${limits.per_minute}` },
      { name: 'in force or on the way', value: figures.enforced, remark: `limit ${limits.active}` },
      { name: 'limit towards one destination', value: limits.per_destination, remark: '' },
    ] satisfies Figure[],
    sources: figures.sources,
    destinations: figures.destinations,
    blocks: blocks.slice(0, mostListed).map((block) => toMailBlock(block, alarms.get(block.id))),
    more: Math.max(0, blocks.length - mostListed),
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('held', facts, setting);
}
