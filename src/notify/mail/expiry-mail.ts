import { shortId, type Block } from '../../core/block.js';
import { maxListed, type ExpiryEvent } from '../../core/event.js';
import { formatWithUtc } from '../../core/local-time.js';
import { count } from '../../views/count.js';
import { listSources } from '../wording.js';
import { toMailBlock } from './mail-block.js';
import { renderMail, type Mail, type MailFacts } from './mail-template.js';
import { fitSubject } from './subject.js';

/** Reports blocks that end soon, when, and how to extend them. */
export function renderExpiryMail({ host, blocks, alarms }: ExpiryEvent, templatesDir?: string): Mail {
  const first = blocks[0]?.expiresAt ?? 0;
  const facts = {
    host,
    subject: fitSubject(
      `[firebreak] ENDING: ${listSources(blocks)} from ${formatWithUtc(first)}`,
      `[firebreak] ENDING: ${count(blocks.length, 'long block')} soon`,
    ),
    headline: `${count(blocks.length, 'long block')} ${blocks.length === 1 ? 'ends' : 'end'} soon`,
    lead: `The first ends at ${formatWithUtc(first)}. Firebreak then removes its rule.`,
    tone: 'warn',
    actions: [
      { what: 'extend the first by a week, from now', command: `firebreak extend ${idOf(blocks)} --for 7d` },
      { what: 'list the blocks that end first', command: 'firebreak list --sort end' },
    ],
    blocks: blocks
      .slice(0, maxListed)
      .map((block) => ({ ...toMailBlock(block, alarms), until: formatWithUtc(block.expiresAt ?? 0) })),
    more: Math.max(0, blocks.length - maxListed),
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('expiry', facts, templatesDir);
}

const idOf = ([block]: readonly Block[]): string => (block === undefined ? '' : shortId(block));
