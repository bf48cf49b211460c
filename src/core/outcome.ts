import type { Block, BlockState, FailureKind } from './block.js';

/** What can come of a block, as it is counted and told. */
export const outcomeKinds = ['proven', 'failed', 'held', 'refused', 'released'] as const;
export type OutcomeKind = (typeof outcomeKinds)[number];

/**
 * What has come of a block by a move, if anything. A failure counts when it begins, when its cause is another one and
 * when the block is given up, not at each try. @param before undefined where its life begins with the move
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

/** What a run cost: `ms` of wall time, `batch` flows carried. */
export interface RunSummary {
  id: string;
  ms: number;
  batch: number;
}

/** The whole answer to one request. */
export interface Answer {
  /** The alarm's id, where it was one. */
  alarm?: string;
  check: boolean;
  /** Whether the caller waited for the proof. */
  isAwaited?: boolean;
  blocks: Block[];
  /** Ids of blocks that this very event had asked for already. */
  repeated?: readonly string[];
  /** Null where none was needed. */
  run: RunSummary | null;
  /** Where the request was not recorded: its exit code, whatever became of the blocks. */
  exit?: number;
}

/** The exit code of a whole answer. */
export const exitCodeOf = ({ blocks, isAwaited, exit }: Answer): number => exit ?? exitCodeOfAll(blocks, isAwaited);

const exitOfFailure: Record<FailureKind, number> = { unreachable: 4, failed: 5, stopped: 6, frozen: 7 };

/** Queued: a run in progress will apply it. Only for who waited, and was answered before that run has ended. */
const queued = 8;

/**
 * The exit code of the contract (DESIGN, "exit") for one block as it stands.
 * @param isAwaited whether the caller waits for the proof: 0 means then that there is one
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
      // Nothing was tried yet for what was asked last: it is accepted, and will be.
      if (failure === null || doneRevision < revision) return isAwaited ? queued : 0;
      return exitOfFailure[failure];
  }
}

/** Several firewalls answer as their worst: nobody may read "0" while one of them lets the attacker in. */
const badness = [0, 8, 3, 7, 4, 6, 5];
const unsettled: readonly BlockState[] = ['pending', 'releasing'];

export function worstOf(blocks: readonly Block[], isAwaited = false): Block | undefined {
  const rank = (block: Block): number =>
    badness.indexOf(exitCodeOfBlock(block, isAwaited)) * 2 + (unsettled.includes(block.state) ? 1 : 0);
  return blocks.reduce<Block | undefined>(
    (worst, block) => (worst === undefined || rank(block) > rank(worst) ? block : worst),
    undefined,
  );
}

export function exitCodeOfAll(blocks: readonly Block[], isAwaited = false): number {
  const worst = worstOf(blocks, isAwaited);
  return worst === undefined ? 0 : exitCodeOfBlock(worst, isAwaited);
}
