import type { Block, BlockState, FailureKind } from './block.js';
import { isBypassed, isProofEnough, type RequiredProof } from './proof.js';

/** The outcomes of a block, as they are counted and reported. */
export const outcomeKinds = ['proven', 'bypassed', 'failed', 'held', 'refused', 'released', 'observed'] as const;
export type OutcomeKind = (typeof outcomeKinds)[number];

/**
 * The outcome of a transition, if it has one. A failure counts when it begins, when its cause changes and
 * when the block has failed for good, not at each retry. @param before undefined for a new block
 */
export function findOutcome(before: Block | undefined, after: Block): OutcomeKind | undefined {
  const isNew = before?.state !== after.state;
  switch (after.state) {
    case 'active': {
      const kind = isBypassed(after) ? 'bypassed' : 'proven';
      const wasBypassed = before !== undefined && isBypassed(before);
      return isNew || wasBypassed !== isBypassed(after) ? kind : undefined;
    }
    case 'released':
      return isNew && before?.state !== 'observed' ? 'released' : undefined;
    case 'held':
    case 'observed':
      return isNew ? after.state : undefined;
    case 'refused':
      return isNew || after.alarms > before.alarms ? 'refused' : undefined;
    case 'failed':
      return isNew ? 'failed' : undefined;
    case 'pending':
    case 'releasing': {
      if (after.failure === null || after.failure === 'frozen') return undefined;
      return before?.failure === after.failure && before.failureCode === after.failureCode ? undefined : 'failed';
    }
  }
}

/** What a run took: `ms` of wall time for a batch of `batch` flows. */
export interface RunSummary {
  id: string;
  ms: number;
  batch: number;
}

/** What a caller asks of an answer. */
export interface Expectation {
  /** Whether the caller waited for the proof; if so, 0 means that there is one. */
  isAwaited?: boolean | undefined;
  /** The least that the proof must be worth. */
  requiredProof?: RequiredProof | undefined;
}

/** The whole answer to one request. */
export interface Answer extends Expectation {
  /** The alarm's id, if the request was one. */
  alarm?: string;
  check: boolean;
  blocks: Block[];
  /** Ids of blocks that this same event had already requested. */
  repeated?: readonly string[];
  /** Ids of blocks whose end the request moved. */
  extended?: readonly string[];
  /** Ids of blocks that were over before the request. */
  past?: readonly string[];
  /** Null if none was needed. */
  run: RunSummary | null;
  /** The exit code if the request was not recorded, whatever happened to the blocks. */
  exit?: number;
}

/** The exit code of a whole answer. */
export const exitCodeOf = (answer: Answer): number => answer.exit ?? exitCodeOfAll(answer.blocks, answer);

const exitOfFailure: Record<FailureKind, number> = { unreachable: 4, failed: 5, stopped: 6, frozen: 7 };

/** Queued: a run in progress will apply it. Only for a caller that waits but is answered before that run ends. */
const queued = 8;

/** The rule stands, but its proof is not worth what is required. */
const notEnough = 9;

/** The exit code for one block in its current state. */
export function exitCodeOfBlock(block: Block, { isAwaited = false, requiredProof }: Expectation = {}): number {
  const { state, failure, doneRevision, revision } = block;
  switch (state) {
    case 'active':
      return isProofEnough(block, requiredProof) ? 0 : notEnough;
    case 'released':
    case 'observed':
      return 0;
    case 'refused':
      return 3;
    case 'held':
      return 7;
    case 'pending':
    case 'releasing':
    case 'failed':
      // The last request was accepted but not applied yet.
      if (failure === null || doneRevision < revision) return isAwaited ? queued : 0;
      return exitOfFailure[failure];
  }
}

/** Several firewalls answer as the worst of them: "0" must not hide one that lets the attacker in. */
const severity = [0, 8, 3, 9, 7, 4, 6, 5];
const unfinished: readonly BlockState[] = ['pending', 'releasing'];

export function worstOf(blocks: readonly Block[], expectation: Expectation = {}): Block | undefined {
  const rank = (block: Block): number =>
    severity.indexOf(exitCodeOfBlock(block, expectation)) * 2 + (unfinished.includes(block.state) ? 1 : 0);
  return blocks.reduce<Block | undefined>(
    (worst, block) => (worst === undefined || rank(block) > rank(worst) ? block : worst),
    undefined,
  );
}

export function exitCodeOfAll(blocks: readonly Block[], expectation: Expectation = {}): number {
  const worst = worstOf(blocks, expectation);
  return worst === undefined ? 0 : exitCodeOfBlock(worst, expectation);
}
