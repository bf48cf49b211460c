import type { Block, BlockState, FailureKind } from './block.js';

/** The outcomes of a block, as they are counted and reported. */
export const outcomeKinds = ['proven', 'failed', 'held', 'refused', 'released'] as const;
export type OutcomeKind = (typeof outcomeKinds)[number];

/**
 * The outcome of a transition, if it has one. A failure counts when it begins, when its cause changes and
 * when the block has failed for good, not at each retry. @param before undefined for a new block
 */
export function findOutcome(before: Block | undefined, after: Block): OutcomeKind | undefined {
  const isNew = before?.state !== after.state;
  switch (after.state) {
    case 'active':
      return isNew ? 'proven' : undefined;
    case 'held':
    case 'released':
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

/** The whole answer to one request. */
export interface Answer {
  /** The alarm's id, if the request was one. */
  alarm?: string;
  check: boolean;
  /** Whether the caller waited for the proof. */
  isAwaited?: boolean;
  blocks: Block[];
  /** Ids of blocks that this same event had already requested. */
  repeated?: readonly string[];
  /** Null if none was needed. */
  run: RunSummary | null;
  /** The exit code if the request was not recorded, whatever happened to the blocks. */
  exit?: number;
}

/** The exit code of a whole answer. */
export const exitCodeOf = ({ blocks, isAwaited, exit }: Answer): number => exit ?? exitCodeOfAll(blocks, isAwaited);

const exitOfFailure: Record<FailureKind, number> = { unreachable: 4, failed: 5, stopped: 6, frozen: 7 };

/** Queued: a run in progress will apply it. Only for a caller that waits but is answered before that run ends. */
const queued = 8;

/**
 * The exit code for one block in its current state.
 * @param isAwaited whether the caller waits for the proof; if so, 0 means that there is one
 */
export function exitCodeOfBlock({ state, failure, doneRevision, revision }: Block, isAwaited = false): number {
  switch (state) {
    case 'active':
    case 'released':
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
const severity = [0, 8, 3, 7, 4, 6, 5];
const unfinished: readonly BlockState[] = ['pending', 'releasing'];

export function worstOf(blocks: readonly Block[], isAwaited = false): Block | undefined {
  const rank = (block: Block): number =>
    severity.indexOf(exitCodeOfBlock(block, isAwaited)) * 2 + (unfinished.includes(block.state) ? 1 : 0);
  return blocks.reduce<Block | undefined>(
    (worst, block) => (worst === undefined || rank(block) > rank(worst) ? block : worst),
    undefined,
  );
}

export function exitCodeOfAll(blocks: readonly Block[], isAwaited = false): number {
  const worst = worstOf(blocks, isAwaited);
  return worst === undefined ? 0 : exitCodeOfBlock(worst, isAwaited);
}
