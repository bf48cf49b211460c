import { formatDuration } from '../../core/duration.js';
import { maxListed, type HeldEvent } from '../../core/event.js';
import { toMailBlock, type Figure } from './mail-block.js';
import { renderMail, type Mail, type MailFacts } from './mail-template.js';
import { fitSubject } from './subject.js';

/** Reports that blocks wait for approval, how many, for which addresses, and what to run. */
export function renderHeldMail({ host, load, limits, blocks, alarms }: HeldEvent, templatesDir?: string): Mail {
  const [top] = load.sources;
  const beginning = '[firebreak] HELD: new blocks wait for approval';
  const facts = {
    host,
    subject: fitSubject(top === undefined ? beginning : `${beginning}, most from ${top.address}`, beginning),
    headline: 'New blocks are HELD until approved',
    lead: 'More alarms arrived than the limits allow without review. Held blocks are NOT in force.',
    tone: 'warn',
    actions: [
      { what: 'list held blocks', command: 'firebreak list --state held' },
      { what: 'approve all held blocks', command: 'firebreak approve --all' },
      { what: 'reject all held blocks', command: 'firebreak reject --all' },
      { what: 'stop all changes to firewalls', command: 'firebreak freeze' },
    ],
    next: [
      'Blocks of further alarms beyond the limits are held as well. You get no other mail about them while any block is held.',
      'If the alarm of a held block repeats and the limits allow it by then, the block is applied automatically.',
      `Blocks that are not approved within ${formatDuration(limits.hold_for)} are refused.`,
    ],
    figures: [
      { name: 'held now', value: load.held, remark: '' },
      { name: 'new in the last minute', value: load.lastMinute, remark: `limit ${limits.per_minute}` },
      { name: 'in force or pending', value: load.enforced, remark: `limit ${limits.active}` },
      { name: 'limit per destination', value: limits.per_destination, remark: '' },
    ] satisfies Figure[],
    sources: load.sources,
    destinations: load.destinations,
    blocks: blocks.slice(0, maxListed).map((block) => toMailBlock(block, alarms)),
    more: Math.max(0, blocks.length - maxListed),
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('held', facts, templatesDir);
}
