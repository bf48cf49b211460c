import { shortId, type Block } from '../../core/block.js';
import { maxListed, type BypassedEvent } from '../../core/event.js';
import { formatWithUtc } from '../../core/local-time.js';
import { describeCause } from '../../platforms/causes.js';
import { describeBypassed } from '../wording.js';
import { toMailBlock } from './mail-block.js';
import { renderMail, type Mail, type MailFacts } from './mail-template.js';
import { fitSubject } from './subject.js';

/** Reports rules that stand but do not stop their packets: what passes them, since when, and what to change. */
export function renderBypassedMail(event: BypassedEvent, templatesDir?: string): Mail {
  const { host, firewall, causes, blocks, alarms } = event;
  const facts = {
    host,
    subject: toSubject(event),
    headline: `${firewall}: ${describeBypassed(blocks)}`,
    lead: causes
      .map(({ cause, beganAt }) => `Cause: ${describeCause(cause)} since ${formatWithUtc(beganAt)}.`)
      .join(' '),
    tone: 'bad',
    actions: findActions(event),
    next: [
      'Firebreak leaves the rules in place and does not retry: they are as it writes them.',
      'firebreak reconcile checks again; when the packets are stopped, you get another mail.',
    ],
    blocks: blocks.slice(0, maxListed).map((block) => toMailBlock(block, alarms)),
    more: Math.max(0, blocks.length - maxListed),
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('bypassed', facts, templatesDir);
}

function toSubject({ firewall, blocks }: BypassedEvent): string {
  const what = describeBypassed(blocks);
  const [only] = blocks.length === 1 ? blocks : [];
  return fitSubject(
    ...(only === undefined ? [] : [`[firebreak] ${firewall}: ${what}: ${only.flow.source}`]),
    `[firebreak] ${firewall}: ${what}`,
    `[firebreak] ${firewall.slice(0, 15)}~: ${what}`,
  );
}

function findActions({ firewall, blocks }: BypassedEvent): MailFacts['actions'] {
  const [only]: readonly (Block | undefined)[] = blocks.length === 1 ? blocks : [];
  return [
    { what: 'check again, after a change on the firewall', command: `firebreak reconcile --firewall ${firewall}` },
    only === undefined
      ? { what: 'list all blocks', command: `firebreak list --firewall ${firewall}` }
      : { what: 'show this block in detail', command: `firebreak show ${shortId(only)}` },
  ];
}
