import { shortId } from '../core/block.js';
import type { OutcomeKind } from '../core/outcome.js';
import { formatLocal } from '../core/local-time.js';
import type { OutcomeRecord } from '../core/stats.js';
import { formatTaken } from './stats-slots.js';
import { blockToJson, toTime } from './json.js';

/** What needs a person stands out. */
const words: Record<OutcomeKind, string> = {
  proven: 'blocked',
  released: 'released',
  failed: 'FAILED',
  held: 'HELD',
  refused: 'refused',
  bypassed: 'BYPASSED',
  observed: 'observed',
};

/** What happened to a block, in one line: when (local time), what, which flow, where, the block's id, and why. */
export function toLogLine({ at, kind, ms, reason, block }: OutcomeRecord): string {
  const { flow, firewall } = block;
  const service = flow.port === '' ? flow.protocol : `${flow.protocol}/${flow.port}`;
  const why = kind === 'proven' ? `after ${formatTaken(ms)}` : (reason ?? '');
  const what = `${flow.source} -> ${flow.destination} ${service} on ${firewall}`;
  return `${formatLocal(at).slice(5, 19)} ${words[kind].padEnd(8)} ${what} ${shortId(block)} ${why}`.trimEnd();
}

export const outcomeToJson = ({ at, kind, ms, code, reason, block }: OutcomeRecord): object => ({
  at: toTime(at),
  outcome: kind,
  ms,
  code,
  reason,
  block: blockToJson(block),
});
