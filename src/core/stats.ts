import type { Block } from './block.js';
import type { OutcomeKind } from './outcome.js';

// Figures that the ledger reports.

/** Held and enforced blocks, blocks of the last minute, and the top sources and destinations of the last hour. */
export interface LoadStats {
  held: number;
  enforced: number;
  lastMinute: number;
  sources: TopEntry[];
  destinations: TopEntry[];
}

/** What happened between two times, and the state at the second one. Times are milliseconds since the epoch. */
export interface History {
  since: number;
  until: number;
  alarms: number;
  /** The same by full hours, oldest first, without empty hours. */
  alarmHours: { at: number; alarms: number }[];
  /** How often each occurred. */
  outcomes: Record<OutcomeKind, number>;
  /** The same by full hours, oldest first, without empty hours. */
  hours: (Record<OutcomeKind, number> & { at: number })[];
  /** From the alarm to the proof; null if nothing was proven. */
  proof: { medianMs: number; p95Ms: number; slowestMs: number } | null;
  /** How many blocks began to fail, by cause, most frequent first. */
  causes: { code: string; blocks: number }[];
  /** Top sources and destinations, without refused blocks. */
  sources: TopEntry[];
  destinations: TopEntry[];
  /** Top tags, each as the `address` of an entry. */
  tags: TopEntry[];
  /** By firewall: how often it differed from the ledger, and when and by how much last. */
  drift: { firewall: string; times: number; lastAt: number; differences: number }[];
  /** Blocks at the end: active (bypassed ones among them), under way (failing ones among them), given up, held. */
  now: { active: number; bypassed: number; underWay: number; failing: number; givenUp: number; held: number };
}

/** What observe mode would have blocked. */
export interface ObservedReport {
  since: number;
  until: number;
  observed: Block[];
  /** Refused by the policy. */
  refused: Block[];
  /** Those with a source in an own network, and those that alarmed again. */
  own: Block[];
  repeated: Block[];
}

/** How things are now. Times are milliseconds since the epoch, null for never. */
export interface Overview {
  firewalls: FirewallOverview[];
  lastAlarmAt: number | null;
  /** When expired blocks were last looked for. */
  lastExpireAt: number | null;
  /** Messages that wait to be sent, and those among them that a server has refused. */
  messages: { waiting: number; failing: number };
}

export interface FirewallOverview {
  name: string;
  blocks: History['now'];
  /** How many packets the blocks in force are known to have stopped. */
  packets: number;
  lastRun: { id: string; startedAt: number; ms: number | null; batch: number } | null;
  lastProofAt: number | null;
}

/** What happened since a time. */
export interface Counts {
  since: number;
  alarms: number;
  outcomes: { firewall: string; kind: OutcomeKind; many: number }[];
  failures: { firewall: string; code: string; many: number }[];
  /** How many blocks were proven within each of these seconds, and the sum of their times. */
  proofs: { within: { seconds: number; many: number }[]; many: number; sumMs: number };
  runs: { firewall: string; many: number; sumMs: number }[];
  drift: { firewall: string; differences: number }[];
}

/** The steps of a histogram of the time to proof, in seconds. */
export const proofSeconds = [0.5, 1, 2, 5, 10, 30, 60, 300] as const;

export interface TopEntry {
  address: string;
  blocks: number;
  alarms: number;
}

/** Which outcomes to read: the latest ones, oldest first. */
export interface OutcomeQuery {
  since: number;
  /** Only those after this sequence number. */
  after?: number;
  source?: string | undefined;
  /** The id of a block. */
  block?: string | undefined;
  firewalls?: readonly string[] | undefined;
  kinds?: readonly OutcomeKind[] | undefined;
  /** Only those before this sequence number. */
  before?: number;
  limit: number;
}

/** An outcome, with its block in the current state. */
export interface OutcomeRecord {
  seq: number;
  at: number;
  kind: OutcomeKind;
  /** Counted from the request. */
  ms: number;
  code: string | null;
  reason: string | null;
  block: Block;
}
