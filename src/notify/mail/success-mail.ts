import { shortId, type Block } from '../../core/block.js';
import { describeFlow } from '../../core/describe-flow.js';
import { maxListed, type SuccessEvent } from '../../core/event.js';
import { formatWithUtc } from '../../core/local-time.js';
import { count } from '../../views/count.js';
import { warningOf } from '../../views/warning.js';
import { toMailBlock } from './mail-block.js';
import { renderMail, type Mail, type MailFacts } from './mail-template.js';
import { fitSubject } from './subject.js';

/** Reports what is now in force, until when, and how to remove it, and what was released. */
export function renderSuccessMail(event: SuccessEvent, templatesDir?: string): Mail {
  const { host, at, firewall, blocks, alarms, run } = event;
  const change = describeChanges(blocks);
  const facts = {
    host,
    subject: toSubject(event, change),
    headline: `${firewall}: ${change}`,
    lead: `${blocks.every((block) => warningOf(block) === null) ? 'Proven' : 'Applied'} on the firewall at ${formatWithUtc(at)}, by run ${run.id} in ${(run.ms / 1000).toFixed(1)} s.`,
    tone: 'good',
    actions: findActions(event),
    blocks: blocks.slice(0, maxListed).map((block) => ({
      ...toMailBlock(block, alarms),
      until: isReleased(block) ? '' : until(block),
    })),
    more: Math.max(0, blocks.length - maxListed),
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('success', facts, templatesDir);
}

function describeChanges(blocks: readonly Block[]): string {
  const released = blocks.filter(isReleased).length;
  return [
    ...(released < blocks.length ? [`${count(blocks.length - released, 'block')} in force`] : []),
    ...(released > 0 ? [`${count(released, 'block')} released`] : []),
  ].join(', ');
}

function toSubject({ firewall, blocks }: SuccessEvent, change: string): string {
  const [only] = blocks.length === 1 ? blocks : [];
  return fitSubject(
    ...(only === undefined
      ? []
      : [
          `[firebreak] ${firewall}: ${change}: ${describeFlow(only.flow)}`,
          `[firebreak] ${firewall}: ${change}: ${only.flow.source}`,
        ]),
    `[firebreak] ${firewall}: ${change}`,
    `[firebreak] ${firewall.slice(0, 20)}~: ${change}`,
  );
}

function findActions({ firewall, blocks }: SuccessEvent): MailFacts['actions'] {
  const [only] = blocks.length === 1 ? blocks : [];
  return only === undefined || isReleased(only)
    ? [{ what: 'list current blocks', command: `firebreak list --firewall ${firewall}` }]
    : [
        { what: 'show this block in detail', command: `firebreak show ${shortId(only)}` },
        { what: 'remove this block', command: `firebreak unblock --id ${shortId(only)}` },
      ];
}

const isReleased = ({ state }: Block): boolean => state === 'released';

const until = ({ expiresAt }: Block): string => (expiresAt === null ? 'forever' : formatWithUtc(expiresAt));
