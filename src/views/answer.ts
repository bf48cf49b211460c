import type { Block } from '../core/block.js';
import { describeFlow } from '../core/describe-flow.js';
import { formatSpan } from '../core/duration.js';
import { exitCodeOf, type Answer, type RunSummary } from '../core/outcome.js';
import { answerToJson } from './json.js';

/** The answer in both its forms, with its exit code. */
export const toAnswerOutput = (answer: Answer) => ({
  exit: exitCodeOf(answer),
  text: answerToText(answer),
  json: answerToJson(answer),
});

/** The answer as a person reads it: one line a block. */
export const answerToText = ({ blocks, check, run, repeated = [] }: Answer): string =>
  blocks
    .map((block) => {
      const again = repeated.includes(block.id) ? ' (this event was told before, and counts once)' : '';
      return `${block.firewall}: ${check ? predict(block) : describeBlock(block, run)}${again}`;
    })
    .join('\n');

/** One block in one line, with what is proven and what is not. */
export function describeBlock(block: Block, run: RunSummary | null): string {
  const { state, flow, tracker, reason, changed } = block;
  const what = describeFlow(flow);
  const time = run === null ? '' : `, ${(run.ms / 1000).toFixed(1)} s`;
  const proof = `tracker ${tracker}${time}`;
  switch (state) {
    case 'active':
      return `${changed && run !== null ? 'blocked' : 'already blocked'} ${what}: ${describeProof(block)}, ${proof}`;
    case 'released':
      return `released ${what}${run === null ? '' : `: gone and proven, ${proof}`}`;
    case 'refused':
      return `NOT blocked ${what}: ${reason ?? 'refused'}`;
    case 'held':
      return `NOT blocked ${what}: ${reason ?? 'held'}; to block it: firebreak approve ${block.id}`;
    case 'failed':
    case 'pending':
      return block.failure === null || block.doneRevision < block.revision
        ? `queued ${what}: a run in progress will apply it, tracker ${tracker}`
        : `NOT ${block.failure === 'stopped' ? 'known to be ' : ''}blocked ${what}: ${explain(block)}`;
    case 'releasing':
      return block.failure === null || block.doneRevision < block.revision
        ? `queued the release of ${what}: a run in progress will apply it, tracker ${tracker}`
        : `NOT released ${what}: ${explain(block)}`;
  }
}

/** Who asks within this time has seen the proof itself, or might have. */
const freshMs = 10_000;

/** A proof that is older than what was asked last is a memory, and says so. */
function describeProof({ provenAt, updatedAt }: Block): string {
  const ageMs = provenAt === null ? 0 : updatedAt - provenAt;
  return ageMs < freshMs ? 'in force and proven' : `in force, proven ${formatSpan(ageMs)} ago`;
}

function explain({ failure, reason, state }: Block): string {
  const why = `${failure === 'unreachable' ? 'the firewall cannot be reached: ' : ''}${reason ?? 'unknown'}`;
  if (failure === 'frozen') return `${why}; kept, and carried after firebreak unfreeze`;
  return state === 'failed' ? `${why}; given up, firebreak retry tries again` : `${why}; kept, and tried again`;
}

function predict({ flow, tracker, changed, failure, reason, desired, state }: Block): string {
  const what = describeFlow(flow);
  const [verb, done] = desired === 'present' ? ['block', 'already blocked'] : ['release', 'already gone'];
  if (state === 'refused') return `would NOT block ${what}: ${reason ?? ''}`;
  if (failure !== null)
    return `could NOT ${verb} ${what}: ${failure === 'unreachable' ? 'the firewall cannot be reached: ' : ''}${reason ?? ''}`;
  return changed
    ? `would ${verb} ${what}, tracker ${tracker} (dry run: nothing was changed)`
    : `${done} ${what}, tracker ${tracker} (dry run: nothing to change)`;
}

/** `3 active, 1 pending`: how many blocks stand in which state. */
export function countStates(blocks: readonly Block[]): string {
  const counts = new Map<string, number>();
  for (const { state } of blocks) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${state}`).join(', ') || 'none';
}
