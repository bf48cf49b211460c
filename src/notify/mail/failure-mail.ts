import { shortId, type Block } from '../../core/block.js';
import { describeCause } from '../../platforms/causes.js';
import { formatSpan } from '../../core/duration.js';
import { maxListed, type FailureEvent } from '../../core/event.js';
import { formatWithUtc, formatShort } from '../../core/local-time.js';
import { count } from '../../views/count.js';
import { countTop, describeUnmet } from '../wording.js';
import { toMailBlock } from './mail-block.js';
import { renderMail, type Mail, type MailFacts } from './mail-template.js';
import { clip, fitSubject } from './subject.js';

/** Further messages are left out: `show` and the run's record have them. */
const maxMessages = 5;

/** Up to this number, the list of blocks shows the addresses well enough. */
const fewBlocks = 5;

/** Further addresses are left out. */
const maxTop = 10;

/** Reports what is not blocked, since when, why, what happens next, and what to run. It contains no secret. */
export function renderFailureMail(event: FailureEvent, templatesDir?: string): Mail {
  const { at, host, firewall, blocks, alarms, record } = event;
  const messages = groupMessages(event);
  const hasMany = blocks.length > fewBlocks;
  const facts = {
    host,
    subject: toSubject(event),
    headline: `${firewall}: ${describeBlocks(blocks)}`,
    lead: describeFailure(event),
    tone: 'bad',
    actions: findActions(event),
    said: messages.slice(0, maxMessages),
    next: describeNext(event),
    blocks: blocks.slice(0, maxListed).map((block) => ({
      ...toMailBlock(block, alarms),
      ...(messages.length === 1 && { reason: '' }), // shown above, the same for all
      next: blocks.length === 1 ? '' : nextStep(block, at),
    })),
    more: Math.max(0, blocks.length - maxListed),
    sources: hasMany ? countTop(blocks, 'source', maxTop) : [],
    destinations: hasMany ? countTop(blocks, 'destination', maxTop) : [],
    record,
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('failure', facts, templatesDir);
}

/** As much as fits; always the number of blocks, and that they are not in force. */
function toSubject({ at, firewall, blocks }: FailureEvent): string {
  const what = describeBlocks(blocks);
  const cause = summarizeCauses(blocks);
  const when = `since ${formatShort(earliest(blocks), at)}`;
  const [only] = blocks.length === 1 ? blocks : [];
  return fitSubject(
    ...(only === undefined
      ? []
      : [
          `[firebreak] ${firewall}: ${what}: ${only.flow.source}, ${cause} ${when}`,
          `[firebreak] ${firewall}: ${what}: ${only.flow.source} ${when}`,
        ]),
    `[firebreak] ${firewall}: ${what}: ${cause} ${when}`,
    `[firebreak] ${firewall}: ${what} ${when}`,
    `[firebreak] ${firewall.slice(0, 20)}~: ${what} ${when}`,
  );
}

/** `3 blocks NOT in force, given up`. */
function describeBlocks(blocks: readonly Block[]): string {
  const unmet = `${count(blocks.length, 'block')} ${describeUnmet(blocks)}`;
  return blocks.every(isGivenUp) ? `${unmet}, given up` : unmet;
}

function describeFailure({ at, blocks }: FailureEvent): string {
  const since = earliest(blocks);
  const alarms = blocks.reduce((sum, each) => sum + each.alarms, 0);
  const cause = `Cause: ${summarizeCauses(blocks)} since ${formatWithUtc(since)}${elapsed(at - since)}.`;
  return `${cause} Requested by ${count(alarms, 'alarm')}.`;
}

const elapsed = (ms: number): string => (ms < 60_000 ? '' : ` (${formatSpan(ms)} before this mail)`);

const isGivenUp = ({ state }: Block): boolean => state === 'failed';

const beganAt = ({ failingSince, updatedAt }: Block): number => failingSince ?? updatedAt;

const earliest = (blocks: readonly Block[]): number => Math.min(...blocks.map(beganAt));

/** Why the blocks fail, including those given up. */
function summarizeCauses(blocks: readonly Block[]): string {
  const [first = '', ...others] = new Set(
    blocks.map(({ failureCode, failure }) => failureCode ?? failure ?? 'unknown'),
  );
  return others.length > 0 ? `${describeCause(first)} and others` : describeCause(first);
}

interface MessageGroup {
  message: string;
  /** The step of the role that failed, if it is known. */
  step: string;
  blocks: number;
}

/** Ansible's messages without duplicates, the most frequent first. */
function groupMessages({ blocks, step }: FailureEvent): MessageGroup[] {
  const groups = new Map<string, MessageGroup>();
  for (const { reason, run, failure } of blocks) {
    const message = clip(reason ?? 'no message');
    const isOfRun = step !== undefined && failure === 'failed' && run === step.run;
    const known = groups.get(message) ?? { message, step: '', blocks: 0 };
    groups.set(message, {
      message,
      step: isOfRun ? `in the step "${step.task.replace(roleName, '')}"` : known.step,
      blocks: known.blocks + 1,
    });
  }
  return [...groups.values()].sort((one, other) => other.blocks - one.blocks);
}

/** Ansible writes it before the name of a role's task. */
const roleName = /^\S+ : /;

/** What Firebreak does automatically, and when. */
function describeNext({ at, blocks, giveUpMs }: FailureEvent): string[] {
  const waiting = blocks.filter((block) => !isGivenUp(block));
  const givenUp = blocks.length - waiting.length;
  const which = waiting.length === blocks.length ? '' : ` ${waiting.length} of them`;
  return [
    ...(waiting.length > 0
      ? [
          `Firebreak retries${which} automatically ${whenDue(waiting, at)}, then at growing intervals of up to 15 minutes.`,
          `Blocks that still fail at ${formatWithUtc(earliest(waiting) + giveUpMs)} are marked failed, and you get another mail.`,
        ]
      : []),
    ...(givenUp > 0 ? [`${count(givenUp, 'block')} given up: no further retries until you run firebreak retry.`] : []),
  ];
}

function whenDue(blocks: readonly Block[], at: number): string {
  const due = Math.min(...blocks.map(({ dueAt }) => dueAt ?? at));
  return due <= at ? 'immediately' : `at ${formatWithUtc(due)}`;
}

/** The next step for a failing block. */
export const nextStep = (block: Block, at: number): string =>
  isGivenUp(block) ? 'given up' : `retry ${whenDue([block], at)}`;

function findActions({ firewall, blocks }: FailureEvent): MailFacts['actions'] {
  const causes = new Set(blocks.map(({ failureCode, failure }) => failureCode ?? failure));
  const [only] = blocks.length === 1 ? blocks : [];
  return [
    ...(causes.has('changed_by_hand')
      ? [{ what: 'restore the changed rules', command: `firebreak reconcile --fix --firewall ${firewall}` }]
      : [{ what: 'find the cause, step by step', command: `firebreak doctor --firewall ${firewall}` }]),
    { what: 'retry now', command: `firebreak retry ${only === undefined ? '--all' : shortId(only)}` },
    only === undefined
      ? { what: 'list all blocks', command: `firebreak list --firewall ${firewall}` }
      : { what: 'show this block in detail', command: `firebreak show ${shortId(only)}` },
  ];
}
