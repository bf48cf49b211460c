import type { Block } from '../core/block.js';
import { describeFlow } from '../core/describe-flow.js';
import { formatSpan } from '../core/duration.js';
import { formatLocal } from '../core/local-time.js';

/** An alarm that asked for the block. Times are milliseconds since the epoch. */
export interface ShownAlarm {
  id: string;
  receivedAt: number;
  origin: string;
  context: Readonly<Record<string, string>>;
}

/** All that is known of one block, for a person: why, since when, until when, by whom, and what to type. */
export function toDetails(
  block: Block,
  alarms: readonly ShownAlarm[],
  record: string | undefined,
  now: number,
): string {
  const { flow, firewall, state } = block;
  const facts: [string, string | undefined][] = [
    ['block', block.id],
    ['state', describeState(block)],
    ['what', `${flow.type} ${describeFlow(flow)}, ${flow.ipprotocol}`],
    ['firewall', `${firewall}, tracker ${block.tracker}`],
    ['description', block.description],
    ['policy', block.override === null ? undefined : `overridden by an operator: ${block.override}`],
    ['since', when(block.createdAt, now)],
    ['until', block.expiresAt === null ? 'for ever' : when(block.expiresAt, now)],
    ['proven', block.provenAt === null ? 'never' : when(block.provenAt, now)],
    ['next try', block.dueAt === null ? undefined : when(block.dueAt, now)],
    ['alarms', String(block.alarms)],
    ...alarms.slice(-mostAlarms).map((alarm): [string, string] => ['', describeAlarm(alarm)]),
    ['last run', record],
    ['to undo', state === 'released' || state === 'refused' ? undefined : `firebreak unblock --id ${block.id}`],
  ];
  return facts.flatMap(([name, text]) => (text === undefined ? [] : `${name.padEnd(12)} ${text}`)).join('\n');
}

const mostAlarms = 10;

const describeState = ({ state, reason, failures }: Block): string =>
  [state, failures > 0 ? `${failures} failed tries` : undefined, reason ?? undefined].filter(Boolean).join(', ');

function describeAlarm({ receivedAt, origin, context }: ShownAlarm): string {
  const facts = Object.entries(context).map(([name, value]) => `${name}=${value}`);
  return [formatLocal(receivedAt), origin, ...facts].join('  ');
}

const when = (ms: number, now: number): string =>
  `${formatLocal(ms)} (${ms <= now ? `${formatSpan(now - ms)} ago` : `in ${formatSpan(ms - now)}`})`;
