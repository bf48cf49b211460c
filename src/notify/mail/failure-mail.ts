import type { Block } from '../../core/block.js';
import { formatSpan } from '../../core/duration.js';
import { formatLocal, formatShort } from '../../core/local-time.js';
import { findCauseWords } from '../../platforms/index.js';
import { countTop, mostListed, toMailBlock, type AlarmsOf } from './mail-block.js';
import { renderMail, type Mail, type MailFacts, type MailSetting } from './mail-template.js';
import { clip, count, fitSubject } from './mail-words.js';

/** What fails on one firewall, and is told in one mail. */
export interface Failure {
  /** One at least, all of one firewall. */
  blocks: readonly Block[];
  /** Of the blocks that are listed. */
  alarms: AlarmsOf;
  /** The folder that tells the run's whole story; empty where there is none. */
  record: string;
  /** The step of the role that failed, and in which run. */
  step?: { run: string; task: string } | undefined;
  giveUpMs: number;
  now: number;
}

/** Says who is not blocked, since when, why, what happens next, and what to type. Nothing in it is secret. */
export function renderFailureMail(failure: Failure, setting: MailSetting): Mail {
  const { blocks, alarms, record, now } = failure;
  const [first] = blocks;
  if (first === undefined) throw new Error('no failed block: no mail');
  const { firewall } = first;
  const since = Math.min(...blocks.map(beganAt));
  const [cause, lack] = [describeCause(blocks), describeLack(blocks)];
  const asked = blocks.reduce((sum, each) => sum + each.alarms, 0);
  const said = findSaid(failure);
  const hasMany = blocks.length > fewBlocks;
  const facts = {
    subject: toSubject(failure, { firewall, cause, lack, since }),
    headline: `${firewall}: ${count(blocks.length, 'block')} ${lack}`,
    lead: `Why: ${cause} since ${formatLocal(since)}${lastedSo(now - since)}. Asked for by ${count(asked, 'alarm')}.`,
    tone: 'bad',
    actions: findActions(blocks, firewall),
    said: said.slice(0, mostSaid),
    next: describeNext(failure),
    blocks: blocks.slice(0, mostListed).map((block) => ({
      ...toMailBlock(block, alarms.get(block.id)),
      ...(said.length === 1 && { reason: '' }), // it stands above, and is the same for all
      next: blocks.length === 1 ? '' : nextOf(block, now),
    })),
    more: Math.max(0, blocks.length - mostListed),
    sources: hasMany ? countTop(blocks, 'source') : [],
    destinations: hasMany ? countTop(blocks, 'destination') : [],
    record,
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('failure', facts, setting);
}

interface Words {
  firewall: string;
  cause: string;
  lack: string;
  since: number;
}

/** As much as there is room for; how many and that they are not in force always. */
function toSubject({ blocks, now }: Failure, { firewall, cause, lack, since }: Words): string {
  const many = `${count(blocks.length, 'block')} ${lack}`;
  const whom = blocks[0]?.flow.source;
  const when = `since ${formatShort(since, now)}`;
  return fitSubject(
    ...(blocks.length === 1
      ? [
          `[firebreak] ${firewall}: ${many}: ${whom}, ${cause} ${when}`,
          `[firebreak] ${firewall}: ${many}: ${whom} ${when}`,
        ]
      : []),
    `[firebreak] ${firewall}: ${many}: ${cause} ${when}`,
    `[firebreak] ${firewall}: ${many} ${when}`,
    `[firebreak] ${firewall.slice(0, 20)}~: ${many} ${when}`,
  );
}

const lastedSo = (ms: number): string => (ms < 60_000 ? '' : ` (${formatSpan(ms)} before this mail)`);

function describeLack(blocks: readonly Block[]): string {
  const lack = blocks.every(({ wanted }) => wanted === 'absent') ? 'NOT released' : 'NOT in force';
  return blocks.every(isGivenUp) ? `${lack}, given up` : lack;
}

const beganAt = ({ failingSince, updatedAt }: Block): number => failingSince ?? updatedAt;

const plainCauses: Readonly<Record<string, string>> = {
  timeout: 'took too long',
  not_started: 'Ansible did not start',
};

export const nameCause = (cause: string): string =>
  plainCauses[cause] ?? findCauseWords(cause) ?? cause.replaceAll('_', ' ');

/** Of what was given up too: why it failed. */
function describeCause(blocks: readonly Block[]): string {
  const [first = '', ...others] = new Set(blocks.map(({ code, trouble }) => code ?? trouble ?? 'unknown'));
  return others.length > 0 ? `${nameCause(first)} and more` : nameCause(first);
}

/** More different sentences than these are left out: they stand in `show` and in the record. */
const mostSaid = 5;

/** Of these the list alone tells who is met most. */
const fewBlocks = 5;

interface Said {
  message: string;
  /** At which step of the role, where that is known. */
  step: string;
  blocks: number;
}

/** What Ansible said, each sentence once, the one of most blocks first. */
function findSaid({ blocks, step }: Failure): Said[] {
  const said = new Map<string, Said>();
  for (const { reason, run, trouble } of blocks) {
    const message = clip(reason ?? 'it said nothing');
    const isOfRun = step !== undefined && trouble === 'failed' && run === step.run;
    const known = said.get(message) ?? { message, step: '', blocks: 0 };
    said.set(message, {
      message,
      step: isOfRun ? `at the step "${step.task.replace(roleName, '')}"` : known.step,
      blocks: known.blocks + 1,
    });
  }
  return [...said.values()].sort((one, other) => other.blocks - one.blocks);
}

/** Ansible writes it before the name of a role's task. */
const roleName = /^\S+ : /;

const isGivenUp = ({ state }: Block): boolean => state === 'failed';

/** What Firebreak does by itself, and when. */
function describeNext({ blocks, now, giveUpMs }: Failure): string[] {
  const waiting = blocks.filter((block) => !isGivenUp(block));
  const givenUp = blocks.length - waiting.length;
  const whose = waiting.length === blocks.length ? 'Firebreak tries' : `For ${waiting.length} of them Firebreak tries`;
  const end = Math.min(...waiting.map(beganAt)) + giveUpMs;
  return [
    ...(waiting.length > 0
      ? [
          `${whose} again by itself ${whenDue(waiting, now)}, then at growing intervals, each 15 minutes at the latest.`,
          `What is not settled by ${formatLocal(end)} is given up, which is told as well.`,
        ]
      : []),
    ...(givenUp > 0 ? [`${count(givenUp, 'block')} given up: nothing more is tried until somebody says so.`] : []),
  ];
}

function whenDue(blocks: readonly Block[], now: number): string {
  const due = Math.min(...blocks.map(({ dueAt }) => dueAt ?? now));
  return due <= now ? 'at once' : `at ${formatLocal(due)}`;
}

/** What Firebreak does next for one block that fails. */
export const nextOf = (block: Block, now: number): string =>
  isGivenUp(block) ? 'given up' : `tried again ${whenDue([block], now)}`;

function findActions(blocks: readonly Block[], firewall: string): MailFacts['actions'] {
  const causes = new Set(blocks.map(({ code, trouble }) => code ?? trouble));
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
