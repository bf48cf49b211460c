import type { Block } from '../../core/block.js';
import { describeCause } from '../../platforms/causes.js';
import { formatSpan } from '../../core/duration.js';
import { maxListed, type FailureEvent } from '../../core/event.js';
import { formatLocal, formatShort } from '../../core/local-time.js';
import { count, countTop, describeUnmet } from '../wording.js';
import { toMailBlock } from './mail-block.js';
import { renderMail, type Mail, type MailFacts } from './mail-template.js';
import { clip, fitSubject } from './mail-words.js';

/** More different messages than these are left out: `show` and the run's record have them. */
const maxMessages = 5;

/** The top addresses of this few blocks are in the list itself. */
const fewBlocks = 5;

/** More addresses than these are left out. */
const maxTop = 10;

/** Says what is not blocked, since when, why, what happens next, and what to type. It contains no secret. */
export function renderFailureMail(event: FailureEvent, templatesDir?: string): Mail {
  const { at, host, firewall, blocks, alarms, record } = event;
  const messages = groupMessages(event);
  const hasMany = blocks.length > fewBlocks;
  const facts = {
    host,
    subject: toSubject(event),
    headline: `${firewall}: ${describeBlocks(blocks)}`,
    lead: describeWhy(event),
    tone: 'bad',
    actions: findActions(event),
    said: messages.slice(0, maxMessages),
    next: describeNext(event),
    blocks: blocks.slice(0, maxListed).map((block) => ({
      ...toMailBlock(block, alarms),
      ...(messages.length === 1 && { reason: '' }), // it is above, and the same for all
      next: blocks.length === 1 ? '' : nextStep(block, at),
    })),
    more: Math.max(0, blocks.length - maxListed),
    sources: hasMany ? countTop(blocks, 'source', maxTop) : [],
    destinations: hasMany ? countTop(blocks, 'destination', maxTop) : [],
    record,
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('failure', facts, templatesDir);
}

/** As much as fits; always how many there are, and that they are not in force. */
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

function describeWhy({ at, blocks }: FailureEvent): string {
  const since = earliest(blocks);
  const alarms = blocks.reduce((sum, each) => sum + each.alarms, 0);
  const why = `Why: ${summarizeCauses(blocks)} since ${formatLocal(since)}${elapsed(at - since)}.`;
  return `${why} Asked for by ${count(alarms, 'alarm')}.`;
}

const elapsed = (ms: number): string => (ms < 60_000 ? '' : ` (${formatSpan(ms)} before this mail)`);

const isGivenUp = ({ state }: Block): boolean => state === 'failed';

const beganAt = ({ failingSince, updatedAt }: Block): number => failingSince ?? updatedAt;

const earliest = (blocks: readonly Block[]): number => Math.min(...blocks.map(beganAt));

/** Why the blocks fail, including those that were given up. */
function summarizeCauses(blocks: readonly Block[]): string {
  const [first = '', ...others] = new Set(
    blocks.map(({ failureCode, failure }) => failureCode ?? failure ?? 'unknown'),
  );
  return others.length > 0 ? `${describeCause(first)} and more` : describeCause(first);
}

interface MessageGroup {
  message: string;
  /** The step of the role at which it came, if that is known. */
  step: string;
  blocks: number;
}

/** Ansible's messages, each once, the one of most blocks first. */
function groupMessages({ blocks, step }: FailureEvent): MessageGroup[] {
  const groups = new Map<string, MessageGroup>();
  for (const { reason, run, failure } of blocks) {
    const message = clip(reason ?? 'it said nothing');
    const isOfRun = step !== undefined && failure === 'failed' && run === step.run;
    const known = groups.get(message) ?? { message, step: '', blocks: 0 };
    groups.set(message, {
      message,
      step: isOfRun ? `at the step "${step.task.replace(roleName, '')}"` : known.step,
      blocks: known.blocks + 1,
    });
  }
  return [...groups.values()].sort((one, other) => other.blocks - one.blocks);
}

/** Ansible writes it before the name of a role's task. */
const roleName = /^\S+ : /;

/** What Firebreak does by itself, and when. */
function describeNext({ at, blocks, giveUpMs }: FailureEvent): string[] {
  const waiting = blocks.filter((block) => !isGivenUp(block));
  const givenUp = blocks.length - waiting.length;
  const whose = waiting.length === blocks.length ? 'Firebreak tries' : `For ${waiting.length} of them Firebreak tries`;
  return [
    ...(waiting.length > 0
      ? [
          `${whose} again by itself ${whenDue(waiting, at)}, then at growing intervals, each 15 minutes at the latest.`,
          `What is not settled by ${formatLocal(earliest(waiting) + giveUpMs)} is given up, which is told as well.`,
        ]
      : []),
    ...(givenUp > 0 ? [`${count(givenUp, 'block')} given up: nothing more is tried until somebody says so.`] : []),
  ];
}

function whenDue(blocks: readonly Block[], at: number): string {
  const due = Math.min(...blocks.map(({ dueAt }) => dueAt ?? at));
  return due <= at ? 'at once' : `at ${formatLocal(due)}`;
}

/** What Firebreak does next for a failing block. */
export const nextStep = (block: Block, at: number): string =>
  isGivenUp(block) ? 'given up' : `tried again ${whenDue([block], at)}`;

function findActions({ firewall, blocks }: FailureEvent): MailFacts['actions'] {
  const causes = new Set(blocks.map(({ failureCode, failure }) => failureCode ?? failure));
  const [only] = blocks.length === 1 ? blocks : [];
  return [
    ...(causes.has('changed_by_hand')
      ? [{ what: 'write the changed rules anew', command: `firebreak reconcile --fix --firewall ${firewall}` }]
      : [{ what: 'see what is wrong, step by step', command: `firebreak doctor --firewall ${firewall}` }]),
    { what: 'try again now', command: `firebreak retry ${only?.id ?? '--all'}` },
    only === undefined
      ? { what: 'list them all', command: `firebreak list --firewall ${firewall}` }
      : { what: 'see all that is known of it', command: `firebreak show ${only.id}` },
  ];
}
