import type { Block } from '../../core/block.js';
import { describeFlow } from '../../core/describe-flow.js';
import type { RunSummary } from '../../core/outcome.js';
import { formatLocal } from '../../core/local-time.js';
import { mostListed, toMailBlock, type AlarmsOf } from './mail-block.js';
import { renderMail, type Mail, type MailFacts, type MailSetting } from './mail-template.js';
import { count, fitSubject } from './mail-words.js';

/** What one run has brought about on one firewall, and proven there. */
export interface Success {
  /** One at least, all of one firewall. */
  blocks: readonly Block[];
  alarms: AlarmsOf;
  run: RunSummary;
  now: number;
}

/** Says what is in force from now on, until when, and how to undo it; and what is gone. */
export function renderSuccessMail({ blocks, alarms, run, now }: Success, setting: MailSetting): Mail {
  const [first] = blocks;
  if (first === undefined) throw new Error('nothing was proven: no mail');
  const { firewall } = first;
  const released = blocks.filter(isReleased).length;
  const words = [
    ...(released < blocks.length ? [`${count(blocks.length - released, 'block')} in force`] : []),
    ...(released > 0 ? [`${count(released, 'block')} released`] : []),
  ].join(', ');
  const whom = describeFlow(first.flow);
  const facts = {
    subject: fitSubject(
      ...(blocks.length === 1
        ? [`[firebreak] ${firewall}: ${words}: ${whom}`, `[firebreak] ${firewall}: ${words}: ${first.flow.source}`]
        : []),
      `[firebreak] ${firewall}: ${words}`,
      `[firebreak] ${firewall.slice(0, 20)}~: ${words}`,
    ),
    headline: `${firewall}: ${words}`,
    lead: `Proven on the firewall at ${formatLocal(now)}, by run ${run.id} in ${(run.ms / 1000).toFixed(1)} s.`,
    tone: 'good',
    actions:
      blocks.length === 1 && released === 0
        ? [
            { what: 'see all that is known of it', command: `firebreak show ${first.id}` },
            { what: 'take it back', command: `firebreak unblock --id ${first.id}` },
          ]
        : [{ what: 'see what stands', command: `firebreak list --firewall ${firewall}` }],
    blocks: blocks.slice(0, mostListed).map((block) => ({
      ...toMailBlock(block, alarms.get(block.id)),
      until: isReleased(block) ? '' : until(block),
    })),
    more: Math.max(0, blocks.length - mostListed),
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('success', facts, setting);
}

const isReleased = ({ state }: Block): boolean => state === 'released';

const until = ({ expiresAt }: Block): string => (expiresAt === null ? 'for ever' : formatLocal(expiresAt));
