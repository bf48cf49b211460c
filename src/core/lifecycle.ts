import { backoffAfter } from './backoff.js';
import { refuse, type Block, type FailureKind } from './block.js';

/** The moves of a block. Each takes the block as it stands and gives it as it stands after; none keeps a clock. */

/** What one run found out about one block that it applied. */
export type BlockResult =
  | { kind: 'settled'; changed: boolean }
  /** The policy refuses it by now, and the run has proven that no rule is left. */
  | { kind: 'refused'; reason: string }
  | { kind: 'failed'; failure: FailureKind; code: string; reason: string };

export interface RepeatedAlarm {
  now: number;
  /** Null for ever. */
  expiresAt: number | null;
  /** How old the last proof may be before an alarm costs a run. */
  recheckMs: number;
}

/** Another alarm for a flow that has a block: it counts, extends, and makes sure. */
export function repeatAlarm(block: Block, { now, expiresAt, recheckMs }: RepeatedAlarm): Block {
  const counted = { ...block, alarms: block.alarms + 1, expiresAt: later(block.expiresAt, expiresAt), updatedAt: now };
  switch (block.state) {
    case 'held':
      return counted;
    case 'active': {
      const isFresh = block.provenAt !== null && now - block.provenAt < recheckMs && block.provenAt <= now;
      return isFresh ? counted : requestNow(counted, now);
    }
    case 'releasing':
      return { ...requestNow(counted, now), requestedAt: now, state: 'pending', desired: 'present', expiresAt };
    case 'pending':
      return requestNow(counted, now);
    case 'failed':
      return { ...requestNow(counted, now), state: 'pending', desired: 'present', failures: 0, failingSince: null };
    case 'released':
    case 'refused':
      throw new Error(`a ${block.state} block takes no alarm: it begins a new life`);
  }
}

/** Asks a block off the firewall; one that no run has ever taken along is released at once. */
export function release(block: Block, now: number, reason: string): Block {
  if (block.state === 'held') return { ...block, state: 'refused', dueAt: null, reason, updatedAt: now };
  if (block.claimedRevision === 0)
    return { ...block, state: 'released', desired: 'absent', dueAt: null, reason, updatedAt: now };
  if (block.state === 'releasing') return requestNow(block, now);
  return {
    ...requestNow(block, now),
    requestedAt: now,
    state: 'releasing',
    desired: 'absent',
    reason,
    failures: 0,
    failingSince: null,
  };
}

export const isExpired = ({ state, desired, expiresAt }: Block, now: number): boolean =>
  desired === 'present' && state !== 'held' && expiresAt !== null && expiresAt <= now;

/** A held block goes on; its time begins now, not while nobody had looked at it. */
export function approve(block: Block, now: number): Block {
  const expiresAt = block.expiresAt === null ? null : now + (block.expiresAt - block.updatedAt);
  return { ...requestNow(block, now), state: 'pending', reason: null, expiresAt };
}

/** Puts a block that waits for its next try, or has none left, at the head again. */
export const retry = (block: Block, now: number): Block => ({
  ...requestNow(block, now),
  state: block.desired === 'present' ? 'pending' : 'releasing',
  failures: 0,
  failingSince: null,
});

/** Has a block carried once more, because what the firewall says of it is not known for sure. */
export const recheck = (block: Block, now: number): Block => ({
  ...requestNow(block, now),
  state: block.state === 'released' ? 'releasing' : block.state,
});

/** A run takes the block along. */
export const claim = (block: Block, run: string): Block => ({ ...block, claimedRevision: block.revision, run });

export interface Settlement {
  now: number;
  /** What the run had claimed. */
  claimedRevision: number;
  desired: Block['desired'];
  giveUpMs: number;
}

/** What the result of a run makes of a block whose desired state may be another by now. */
export function settle(block: Block, result: BlockResult, settlement: Settlement): Block {
  const { now, claimedRevision, desired } = settlement;
  const isSameWish = block.desired === desired;
  if (result.kind === 'refused') {
    return { ...refuse(block, result.reason), doneRevision: block.revision, changed: false, updatedAt: now };
  }
  if (result.kind === 'failed') return fail(block, result, settlement);
  // A later request of the same wish is served too: the proof is younger than it.
  const doneRevision = isSameWish ? block.revision : claimedRevision;
  const done: Block = { ...block, doneRevision, changed: result.changed, updatedAt: now };
  const cleared: Block = { ...done, failures: 0, failingSince: null, failure: null, failureCode: null };
  if (!isSameWish) return cleared;
  if (desired === 'absent') return { ...cleared, state: 'released', dueAt: null };
  return { ...cleared, state: 'active', reason: null, dueAt: null, provenAt: now };
}

function fail(
  block: Block,
  { failure, code, reason }: Extract<BlockResult, { kind: 'failed' }>,
  { now, claimedRevision, desired, giveUpMs }: Settlement,
): Block {
  const failures = block.failures + 1;
  const failingSince = block.failingSince ?? now;
  const failed: Block = {
    ...block,
    ...{ doneRevision: claimedRevision, changed: false, updatedAt: now },
    ...{ failures, failingSince, failure, failureCode: code, reason },
  };
  if (block.revision !== claimedRevision) return failed; // requested again meanwhile, and so still due
  if (now - failingSince >= giveUpMs) return { ...failed, state: 'failed', dueAt: null };
  const state = desired === 'present' ? 'pending' : 'releasing';
  return { ...failed, state, dueAt: now + backoffAfter(failures) };
}

/** What is asked for again while it is still due has waited since it was asked for first. */
const requestNow = (block: Block, now: number): Block => ({
  ...block,
  revision: block.revision + 1,
  requestedAt: block.dueAt === null ? now : block.requestedAt,
  dueAt: now,
  updatedAt: now,
});

const later = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? null : Math.max(one, other);
