import type { Block } from './block.js';
import type { OutcomeKind } from './outcome.js';

// What the ledger tells of what happened.

/** Blocks that are held and that are in force, blocks of the last minute, and who was met most in the last hour. */
export interface LoadStats {
  held: number;
  enforced: number;
  lastMinute: number;
  sources: TopEntry[];
  destinations: TopEntry[];
}

/** What happened between two times, and how things stand at the second one. Times are milliseconds since the epoch. */
export interface History {
  since: number;
  until: number;
  alarms: number;
  /** How often each came about. */
  outcomes: Record<OutcomeKind, number>;
  /** The same by full hours, oldest first, without those in which nothing came about. */
  hours: (Record<OutcomeKind, number> & { at: number })[];
  /** From the alarm to the proof; null where nothing was proven. */
  proof: { medianMs: number; p95Ms: number; slowestMs: number } | null;
  /** How many blocks began to fail, by cause, the most first. */
  causes: { code: string; blocks: number }[];
  /** Who was met most, without what was refused. */
  sources: TopEntry[];
  destinations: TopEntry[];
  /** By firewall: how often it was found not to agree with the ledger, and when last in how many places. */
  drift: { firewall: string; times: number; lastAt: number; differences: number }[];
  /** Blocks at the end: in force, on their way, failing among these, given up, held. */
  now: { active: number; underWay: number; failing: number; givenUp: number; held: number };
}

export interface TopEntry {
  address: string;
  blocks: number;
  alarms: number;
}

/** What came of a block, with the block as it stands by now. */
export interface OutcomeRecord {
  seq: number;
  at: number;
  kind: OutcomeKind;
  /** From when it was wanted. */
  ms: number;
  code: string | null;
  reason: string | null;
  block: Block;
}
