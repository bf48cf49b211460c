import { backoffAfter } from './backoff.js';
import { refuse, type Block, type Trouble } from './block.js';

/** The moves of a block. Each takes the block as it stands and gives it as it stands after; none keeps a clock. */

/** What one run found out about one flow that it carried. */
export type Finding =
  | { kind: 'settled'; changed: boolean }
  /** The policy says no by now, and the run has proven that it is not there. */
  | { kind: 'refused'; reason: string }
  | { kind: 'trouble'; trouble: Trouble; code: string; reason: string };

export interface AlarmAgain {
  now: number;
  /** Null for ever. */
  expiresAt: number | null;
  /** How old the last proof may be before an alarm costs a run. */
  recheckMs: number;
}

/** Another alarm for a flow that has a block: it counts, extends, and makes sure. */
export function alarmAgain(block: Block, { now, expiresAt, recheckMs }: AlarmAgain): Block {
  const counted = { ...block, alarms: block.alarms + 1, expiresAt: later(block.expiresAt, expiresAt), updatedAt: now };
  switch (block.state) {
    case 'held':
      return counted;
    case 'active': {
      const isFresh = block.provenAt !== null && now - block.provenAt < recheckMs && block.provenAt <= now;
      return isFresh ? counted : wantNow(counted, now);
    }
    case 'releasing':
      return { ...wantNow(counted, now), askedAt: now, state: 'pending', wanted: 'present', expiresAt };
    case 'pending':
      return wantNow(counted, now);
    case 'failed':
      return { ...wantNow(counted, now), state: 'pending', wanted: 'present', failures: 0, failingSince: null };
    case 'released':
    case 'refused':
      throw new Error(`a ${block.state} block takes no alarm: it begins a new life`);
  }
}

/** Asks a block off the firewall; one that no run has ever taken along is released at once. */
export function release(block: Block, now: number, reason: string): Block {
  if (block.state === 'held') return { ...block, state: 'refused', dueAt: null, reason, updatedAt: now };
  if (block.carried === 0)
    return { ...block, state: 'released', wanted: 'absent', dueAt: null, reason, updatedAt: now };
  if (block.state === 'releasing') return wantNow(block, now);
  return {
    ...wantNow(block, now),
    askedAt: now,
    state: 'releasing',
    wanted: 'absent',
    reason,
    failures: 0,
    failingSince: null,
  };
}

export const isExpired = ({ state, wanted, expiresAt }: Block, now: number): boolean =>
  wanted === 'present' && state !== 'held' && expiresAt !== null && expiresAt <= now;

/** A held block goes on; its time begins now, not while nobody had looked at it. */
export function approve(block: Block, now: number): Block {
  const expiresAt = block.expiresAt === null ? null : now + (block.expiresAt - block.updatedAt);
  return { ...wantNow(block, now), state: 'pending', reason: null, expiresAt };
}

/** Puts a block that waits for its next try, or has none left, at the head again. */
export const retry = (block: Block, now: number): Block => ({
  ...wantNow(block, now),
  state: block.wanted === 'present' ? 'pending' : 'releasing',
  failures: 0,
  failingSince: null,
});

/** Has a block carried once more, because what the firewall says of it is not known for sure. */
export const doubt = (block: Block, now: number): Block => ({
  ...wantNow(block, now),
  state: block.state === 'released' ? 'releasing' : block.state,
});

/** A run takes the block along. */
export const carry = (block: Block, run: string): Block => ({ ...block, carried: block.revision, run });

export interface Settlement {
  now: number;
  /** The revision and the wish the run carried. */
  carried: number;
  wanted: Block['wanted'];
  giveUpMs: number;
}

/** What a run's finding makes of a block, which may be wanted otherwise by now. */
export function settle(block: Block, finding: Finding, { now, carried, wanted, giveUpMs }: Settlement): Block {
  const isSameWish = block.wanted === wanted;
  if (finding.kind === 'refused') {
    return { ...refuse(block, finding.reason), tried: block.revision, changed: false, updatedAt: now };
  }
  if (finding.kind === 'settled') {
    // A later request of the same wish is served too: the proof is younger than it.
    const done = { ...block, tried: isSameWish ? block.revision : carried, changed: finding.changed, updatedAt: now };
    const calm = { ...done, failures: 0, failingSince: null, trouble: null, code: null };
    if (!isSameWish) return calm;
    if (wanted === 'absent') return { ...calm, state: 'released', dueAt: null };
    return { ...calm, state: 'active', reason: null, dueAt: null, provenAt: now };
  }
  const failures = block.failures + 1;
  const failingSince = block.failingSince ?? now;
  const { trouble, code, reason } = finding;
  const told = {
    ...block,
    tried: carried,
    changed: false,
    failures,
    failingSince,
    trouble,
    code,
    reason,
    updatedAt: now,
  };
  if (block.revision !== carried) return told; // asked for again meanwhile, and so still due
  if (now - failingSince >= giveUpMs) return { ...told, state: 'failed', dueAt: null };
  const state = wanted === 'present' ? 'pending' : 'releasing';
  return { ...told, state, dueAt: now + backoffAfter(failures) };
}

/** What is asked for again while it is still due has waited since it was asked for first. */
const wantNow = (block: Block, now: number): Block => ({
  ...block,
  revision: block.revision + 1,
  askedAt: block.dueAt === null ? now : block.askedAt,
  dueAt: now,
  updatedAt: now,
});

const later = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? null : Math.max(one, other);
