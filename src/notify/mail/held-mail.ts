import type { Block } from '../../core/block.js';
import { describeFlow } from '../../core/describe-flow.js';
import { formatDuration } from '../../core/duration.js';
import { maxListed, type HeldEvent } from '../../core/event.js';
import { count } from '../../views/count.js';
import { listSources } from '../wording.js';
import { toMailBlock, type Figure } from './mail-block.js';
import { renderMail, type Mail, type MailFacts } from './mail-template.js';
import { fitSubject } from './subject.js';

/** Reports that blocks wait for approval, how many, for which addresses, and what to run. */
export function renderHeldMail(event: HeldEvent, templatesDir?: string): Mail {
  const { host, load, limits, blocks, alarms, links } = event;
  const facts = {
    host,
    subject: fitSubject(...subjectsOf(blocks)),
    headline: 'New blocks are HELD until approved',
    lead: 'More alarms arrived than the limits allow without review. Held blocks are NOT in force.',
    tone: 'warn',
    link: links['mail'] ?? '',
    linkNote: `The page asks first. The link decides once, without a login, on the ${count(blocks.length, 'block')} below, and is valid for ${formatDuration(limits.hold_for)}: do not forward it.`,
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

/** What is held, as exactly as the length of a subject allows. */
function subjectsOf(blocks: readonly Block[]): string[] {
  const [only] = blocks.length === 1 ? blocks : [];
  const sources = listSources(blocks);
  return [
    ...(only === undefined ? [] : [`[firebreak] HELD: ${describeFlow(only.flow)} waits for approval`]),
    `[firebreak] HELD: ${sources} ${blocks.length === 1 ? 'waits' : 'wait'} for approval`,
    `[firebreak] HELD: ${count(blocks.length, 'new block')} for approval`,
  ];
}
