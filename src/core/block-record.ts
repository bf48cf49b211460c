import type { Block } from './block.js';

/** A block as the log and a run's outcome.json have it: under the names of release 0.1, which other programs read. */
export function toRecord(block: Block) {
  const { desired, claimedRevision, doneRevision, requestedAt, failure, failureCode, ...same } = block;
  return {
    ...same,
    ...{ wanted: desired, carried: claimedRevision, tried: doneRevision },
    ...{ askedAt: requestedAt, trouble: failure, code: failureCode },
  };
}
