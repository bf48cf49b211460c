import { backoffAfter } from './backoff.js';
import { refuse, type Block, type FailureKind } from './block.js';
import { noProof, toProofFields, type Proof } from './proof.js';

/** The transitions of a block: each takes the block before and returns the block after. The time is an argument. */

/** What one run reports about one block that it applied. */
export type BlockResult =
  | { kind: 'settled'; changed: boolean; proof?: Proof | undefined }
  /** A dry run in observe mode would have changed the firewall; or would have failed, and why. */
  | { kind: 'observed'; reason?: string }
  /** The policy now refuses it, and the run has proven that no rule is left. */
  | { kind: 'refused'; reason: string }
  | { kind: 'failed'; failure: FailureKind; code: string; reason: string };

export interface RepeatedAlarm {
  now: number;
  /** Null: forever. */
  expiresAt: number | null;
  /** How old the last proof may be before an alarm starts a run. */
  recheckMs: number;
  /** The firewall is in observe mode. */
  isObserved?: boolean;
}

/** Another alarm for a flow that has a block: counts it, extends the block, and rechecks an old proof. */
export function repeatAlarm(block: Block, { now, expiresAt, recheckMs, isObserved = false }: RepeatedAlarm): Block {
  if (isObserved && isOnFirewall(block)) return { ...block, alarms: block.alarms + 1, updatedAt: now };
  const counted = { ...block, alarms: block.alarms + 1, expiresAt: later(block.expiresAt, expiresAt), updatedAt: now };
  switch (block.state) {
    case 'held':
      return counted;
    case 'active': {
      const isFresh = block.provenAt !== null && now - block.provenAt < recheckMs && block.provenAt <= now;
      return isFresh ? counted : requestNow(counted, now);
    }
    case 'observed':
      if (isObserved) return counted;
      return { ...requestNow(counted, now), state: 'pending', expiresAt };
    case 'releasing':
      return { ...requestNow(counted, now), requestedAt: now, state: 'pending', desired: 'present', expiresAt };
    case 'pending':
      return requestNow(counted, now);
    case 'failed':
      return { ...requestNow(counted, now), state: 'pending', desired: 'present', failures: 0, failingSince: null };
    case 'released':
    case 'refused':
      throw new Error(`a ${block.state} block does not accept an alarm: a new block does`);
  }
}

/** Whether its rule may be on the firewall: a dry run does not deal with it. */
export const isOnFirewall = ({ state, provenAt }: Block): boolean =>
  provenAt !== null || state === 'releasing' || state === 'failed';

/** Requests the release of a block; one that no run has claimed is released immediately. */
export function release(block: Block, now: number, reason: string): Block {
  if (block.state === 'held') return { ...block, state: 'refused', dueAt: null, reason, updatedAt: now };
  if (block.claimedRevision === 0 || block.state === 'observed')
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
    ...noProof,
  };
}

export const isExpired = ({ state, desired, expiresAt }: Block, now: number): boolean =>
  desired === 'present' && state !== 'held' && expiresAt !== null && expiresAt <= now;

/** Releases a held block to the firewall; its time starts now, not when it was held. */
export function approve(block: Block, now: number): Block {
  const expiresAt = block.expiresAt === null ? null : now + (block.expiresAt - block.updatedAt);
  return { ...requestNow(block, now), state: 'pending', reason: null, expiresAt };
}

/** Moves a block's end; null is forever. */
export const extend = (block: Block, expiresAt: number | null, now: number): Block => ({
  ...block,
  expiresAt,
  updatedAt: now,
});

/** Makes a block that waits for a retry, or has failed, due now. */
export const retry = (block: Block, now: number): Block => ({
  ...requestNow(block, now),
  state: block.desired === 'present' ? 'pending' : 'releasing',
  failures: 0,
  failingSince: null,
});

/** Makes a block due again, because its state on the firewall is uncertain. */
export const recheck = (block: Block, now: number): Block => ({
  ...requestNow(block, now),
  state: block.state === 'released' ? 'releasing' : block.state,
});

/** A run claims the block. */
export const claim = (block: Block, run: string): Block => ({ ...block, claimedRevision: block.revision, run });

export interface Settlement {
  now: number;
  /** The revision that the run claimed. */
  claimedRevision: number;
  desired: Block['desired'];
  giveUpMs: number;
}

/** Applies the result of a run to a block, whose desired state may have changed during the run. */
export function settle(block: Block, result: BlockResult, settlement: Settlement): Block {
  const { now, claimedRevision, desired } = settlement;
  const isSameRequest = block.desired === desired;
  if (result.kind === 'refused') {
    return { ...refuse(block, result.reason), doneRevision: block.revision, changed: false, updatedAt: now };
  }
  if (result.kind === 'failed') return fail(block, result, settlement);
  // A later request for the same state is done too: the proof is newer than the request.
  const doneRevision = isSameRequest ? block.revision : claimedRevision;
  const done: Block = { ...block, doneRevision, changed: result.kind === 'settled' && result.changed, updatedAt: now };
  const cleared: Block = { ...done, failures: 0, failingSince: null, failure: null, failureCode: null, ...noProof };
  if (!isSameRequest) return cleared;
  if (result.kind === 'observed') return { ...cleared, state: 'observed', reason: result.reason ?? null, dueAt: null };
  if (desired === 'absent') return { ...cleared, state: 'released', dueAt: null };
  return { ...cleared, state: 'active', reason: null, dueAt: null, provenAt: now, ...toProofFields(result.proof) };
}

/** A query found the proof of an active block to be worth this. */
export const updateProof = (block: Block, proof: Proof, now: number): Block => ({
  ...block,
  ...toProofFields(proof),
  updatedAt: now,
});

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
  if (block.revision !== claimedRevision) return failed; // requested again meanwhile, so still due
  if (now - failingSince >= giveUpMs) return { ...failed, state: 'failed', dueAt: null };
  const state = desired === 'present' ? 'pending' : 'releasing';
  return { ...failed, state, dueAt: now + backoffAfter(failures) };
}

/** A block that is requested again while still due has waited since the first request. */
const requestNow = (block: Block, now: number): Block => ({
  ...block,
  revision: block.revision + 1,
  requestedAt: block.dueAt === null ? now : block.requestedAt,
  dueAt: now,
  updatedAt: now,
});

const later = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? null : Math.max(one, other);
