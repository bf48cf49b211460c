import { isOver, shortId, type Block } from '../core/block.js';
import { describeFlow } from '../core/describe-flow.js';
import { formatSpan } from '../core/duration.js';
import { formatLocal } from '../core/local-time.js';
import type { AlarmRecord } from '../ledger/ledger.js';
import { count } from './count.js';
import { blockToJson, toTime } from './json.js';
import { describePackets } from './packets.js';
import { warningOf } from './warning.js';

interface Details {
  block: Block;
  alarms: readonly AlarmRecord[];
  /** The folder that records the last run. */
  record: string | undefined;
  now: number;
}

/** One block in detail: why, since when, until when, requested by whom, and what to run. */
export function detailsToText({ block, alarms, record, now }: Details): string {
  const { flow, firewall } = block;
  const facts: [string, string | undefined][] = [
    ['block', shortId(block)],
    ['state', describeState(block)],
    ['what', `${flow.type} ${describeFlow(flow)}, ${flow.ipprotocol}`],
    ['firewall', `${firewall}, tracker ${block.tracker}`],
    ['description', block.description],
    ['comment', block.comment ?? undefined],
    ['tags', block.tags.length === 0 ? undefined : block.tags.join(' ')],
    ['policy', block.override === null ? undefined : `overridden by an operator: ${block.override}`],
    ['since', when(block.createdAt, now)],
    ['ended', isOver(block) ? [when(block.updatedAt, now), block.reason].filter(Boolean).join(', ') : undefined],
    ['until', isOver(block) ? undefined : block.expiresAt === null ? 'forever' : when(block.expiresAt, now)],
    ['proven', block.provenAt === null ? 'never' : when(block.provenAt, now)],
    ['proof', describeProof(block)],
    ['packets', describePackets(block, now)],
    ['next retry', block.dueAt === null ? undefined : when(block.dueAt, now)],
    ['alarms', String(block.alarms)],
    ...alarms.slice(-maxAlarms).map((alarm): [string, string] => ['', describeAlarm(alarm)]),
    ['last run', record],
    ['to remove', isOver(block) ? undefined : `firebreak unblock ${shortId(block)}`],
  ];
  return facts.flatMap(([name, text]) => (text === undefined ? [] : `${name.padEnd(12)} ${text}`)).join('\n');
}

/** The same as JSON. */
export const detailsToJson = ({ block, alarms, record }: Details): object => ({
  ...blockToJson(block),
  comment: block.comment,
  proven_at: toTime(block.provenAt),
  due_at: toTime(block.dueAt),
  run: block.run,
  record: record ?? null,
  history: alarms.map((alarm) => ({
    alarm: alarm.id,
    received_at: toTime(alarm.receivedAt),
    origin: alarm.origin,
    context: alarm.context,
  })),
});

const maxAlarms = 10;

/** What the proof is worth; undefined if it is not known, or if the block is not active. */
function describeProof(block: Block): string | undefined {
  const { state, proof, proofMessage } = block;
  if (state !== 'active' || proof === null) return undefined;
  return warningOf(block) ?? ['in force and proven', proofMessage].filter(Boolean).join(' ');
}

function describeState(block: Block): string {
  const { state, reason, failures } = block;
  const why = isOver(block) ? null : reason;
  return [state, failures > 0 ? count(failures, 'failed attempt') : undefined, why].filter(Boolean).join(', ');
}

function describeAlarm({ receivedAt, origin, context }: AlarmRecord): string {
  const facts = Object.entries(context).map(([name, value]) => `${name}=${value}`);
  return [formatLocal(receivedAt), origin, ...facts].join('  ');
}

const when = (ms: number, now: number): string =>
  `${formatLocal(ms)} (${ms <= now ? `${formatSpan(now - ms)} ago` : `in ${formatSpan(ms - now)}`})`;
