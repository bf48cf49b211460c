import { isOver, shortId, type Block } from '../core/block.js';
import { describeFlow } from '../core/describe-flow.js';
import { formatSpan } from '../core/duration.js';
import { formatDay, formatLocal } from '../core/local-time.js';
import { exitCodeOf, type Answer, type RunSummary } from '../core/outcome.js';
import { isBypassed } from '../core/proof.js';
import { answerToJson } from './json.js';
import { warningOf } from './warning.js';

/** The answer as text and JSON, with its exit code. */
export const toAnswerOutput = (answer: Answer) => ({
  exit: exitCodeOf(answer),
  text: answerToText(answer),
  json: answerToJson(answer),
});

/** The answer as text, one line per block. */
export const answerToText = ({ blocks, check, run, exit, repeated = [], extended = [], past = [] }: Answer): string =>
  blocks
    .map((block) => {
      const note = repeated.includes(block.id) ? ' (repeated event, counted once)' : '';
      const text = past.includes(block.id) ? describePast(block) : describeBlock(block, run);
      const more =
        exit === undefined ? ` (${[`id ${shortId(block)}`, ...describeEnd(block, extended)].join(', ')})` : '';
      return `${block.firewall}: ${check ? predict(block) : `${text}${more}`}${note}`;
    })
    .join('\n');

/** When a current block ends, and whether this request moved that. */
function describeEnd(block: Block, extended: readonly string[]): string[] {
  if (isOver(block) || block.desired === 'absent') return [];
  if (block.expiresAt === null) return ['no end'];
  const end = formatDay(block.expiresAt, block.updatedAt);
  return [extended.includes(block.id) ? `extended to ${end}` : `ends ${end}`];
}

const describePast = ({ flow, state, reason, updatedAt }: Block): string =>
  `already ${state} ${describeFlow(flow)}: ${reason ?? 'no reason is known'}, ${formatLocal(updatedAt)}`;

/** One block in one line, with what is proven. */
export function describeBlock(block: Block, run: RunSummary | null): string {
  const { state, flow, tracker, reason, changed } = block;
  const what = describeFlow(flow);
  const time = run === null ? '' : `, ${(run.ms / 1000).toFixed(1)} s`;
  const proof = `tracker ${tracker}${time}`;
  switch (state) {
    case 'active': {
      const warning = warningOf(block);
      const done = changed && run !== null ? 'blocked' : 'already blocked';
      return warning === null
        ? `${done} ${what}: ${describeProof(block)}, ${proof}`
        : `${isBypassed(block) ? 'NOT blocked' : done} ${what}, ${proof}: ${warning}`;
    }
    case 'observed':
      return `would have blocked ${what}: observe mode, nothing was changed on the firewall`;
    case 'released':
      return `released ${what}${run === null ? '' : `: removed and proven, ${proof}`}`;
    case 'refused':
      return `NOT blocked ${what}: ${reason ?? 'refused'}`;
    case 'held':
      return `NOT blocked ${what}: ${reason ?? 'held'}; to approve it, run firebreak approve ${shortId(block)}`;
    case 'failed':
    case 'pending':
      return block.failure === null || block.doneRevision < block.revision
        ? `queued ${what}: a run in progress will apply it, tracker ${tracker}`
        : `NOT ${block.failure === 'stopped' || block.provenAt !== null ? 'known to be ' : ''}blocked ${what}: ${explain(block)}`;
    case 'releasing':
      return block.failure === null || block.doneRevision < block.revision
        ? `queued the release of ${what}: a run in progress will apply it, tracker ${tracker}`
        : `NOT released ${what}: ${explain(block)}`;
  }
}

/** The age of a proof is shown from this on. */
const freshMs = 10_000;

/** Gives the age of a proof that is clearly older than the last request. */
function describeProof({ provenAt, updatedAt, proofMessage }: Block): string {
  const ageMs = provenAt === null ? 0 : updatedAt - provenAt;
  const age = ageMs < freshMs ? 'in force and proven' : `in force, proven ${formatSpan(ageMs)} ago`;
  return proofMessage === null || proofMessage === '' ? age : `${age} ${proofMessage}`;
}

function explain({ failure, reason, state }: Block): string {
  const why = `${failure === 'unreachable' ? 'the firewall is unreachable: ' : ''}${reason ?? 'unknown'}`;
  if (failure === 'frozen') return `${why}; queued until firebreak unfreeze`;
  return state === 'failed' ? `${why}; given up, run firebreak retry` : `${why}; queued for retry`;
}

function predict(block: Block): string {
  const { flow, tracker, changed, failure, reason, desired, state } = block;
  const what = describeFlow(flow);
  const [verb, done] = desired === 'present' ? ['block', 'already blocked'] : ['release', 'already released'];
  if (state === 'refused') return `would NOT block ${what}: ${reason ?? ''}`;
  if (failure !== null)
    return `could NOT ${verb} ${what}: ${failure === 'unreachable' ? 'the firewall is unreachable: ' : ''}${reason ?? ''}`;
  const warning = warningOf(block);
  if (warning !== null) {
    const verdict = isBypassed(block) ? 'NOT blocked' : done;
    return `${verdict} ${what}, tracker ${tracker}: ${warning} (dry run: nothing to change)`;
  }
  return changed
    ? `would ${verb} ${what}, tracker ${tracker} (dry run: nothing was changed)`
    : `${done} ${what}, tracker ${tracker} (dry run: nothing to change)`;
}

/** `3 active, 1 pending`: the number of blocks by state. */
export function countStates(blocks: readonly Block[]): string {
  const counts = new Map<string, number>();
  for (const { state } of blocks) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${state}`).join(', ') || 'none';
}
