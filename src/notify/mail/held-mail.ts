import { formatDuration } from '../../core/duration.js';
import { maxListed, type HeldEvent } from '../../core/event.js';
import { toMailBlock, type Figure } from './mail-block.js';
import { renderMail, type Mail, type MailFacts } from './mail-template.js';
import { fitSubject } from './mail-words.js';

/** Says that blocks wait for approval, how many, for which addresses, and what to type. */
export function renderHeldMail({ host, load, limits, blocks, alarms }: HeldEvent, templatesDir?: string): Mail {
  const [top] = load.sources;
  const begin = '[firebreak] HELD: new blocks wait for approval';
  const facts = {
    host,
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
      { name: 'held now', value: load.held, remark: '' },
      { name: 'new in the last minute', value: load.lastMinute, remark: `limit ${limits.per_minute}` },
      { name: 'in force or on the way', value: load.enforced, remark: `limit ${limits.active}` },
      { name: 'limit towards one destination', value: limits.per_destination, remark: '' },
    ] satisfies Figure[],
    sources: load.sources,
    destinations: load.destinations,
    blocks: blocks.slice(0, maxListed).map((block) => toMailBlock(block, alarms)),
    more: Math.max(0, blocks.length - maxListed),
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('held', facts, templatesDir);
}
