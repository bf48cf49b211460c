import type { Block } from './block.js';
import type { DigestDay } from './digest-day.js';
import type { Drift } from './drift.js';
import type { Incident, OpenIncident } from './incident.js';
import type { RunSummary } from './outcome.js';
import type { AddressChange } from './policy.js';
import type { LoadStats } from './stats.js';

// Every notification, as data; each channel writes its own text for it. Times are milliseconds since
// the epoch.

export type Event =
  | FailureEvent
  | BypassedEvent
  | RecoveryEvent
  | SuccessEvent
  | DriftEvent
  | AddressesEvent
  | HeldEvent
  | ExpiryEvent
  | DigestEvent
  | TestEvent;

interface Occurrence {
  /** When this was found. */
  at: number;
  /** The host that Firebreak runs on. */
  host: string;
}

/** Blocks of one firewall that are not as requested. */
export interface FailureEvent extends Occurrence {
  kind: 'failure';
  firewall: string;
  /** What is due to be reported, and the failing blocks of these causes: at least one. */
  causes: readonly OpenIncident[];
  blocks: readonly Block[];
  alarms: AlarmsByBlock;
  /** The folder with the complete record of the run; empty if there is none. */
  record: string;
  /** The step of the role that failed, and in which run. */
  step?: { run: string; task: string } | undefined;
  /** For how long a failing block is retried. */
  giveUpMs: number;
}

/** Blocks of one firewall whose rules stand, but do not stop their packets. */
export interface BypassedEvent extends Occurrence {
  kind: 'bypassed';
  firewall: string;
  /** The levels that are due to be reported, and the blocks of these: at least one. */
  causes: readonly OpenIncident[];
  blocks: readonly Block[];
  alarms: AlarmsByBlock;
}

/** Incidents of one firewall that are over. */
export interface RecoveryEvent extends Occurrence {
  kind: 'recovery';
  firewall: string;
  resolved: readonly Incident[];
  /** Blocks that still fail, for another cause. */
  failing: readonly Block[];
  /** Blocks whose rules stand, but do not stop their packets. */
  bypassed: number;
  /** The other blocks that are in force. */
  active: number;
}

/** What one run changed and proved on one firewall. */
export interface SuccessEvent extends Occurrence {
  kind: 'success';
  firewall: string;
  /** At least one. */
  blocks: readonly Block[];
  alarms: AlarmsByBlock;
  run: RunSummary;
}

/** Differences between a firewall and the ledger. */
export interface DriftEvent extends Occurrence {
  kind: 'drift';
  firewall: string;
  drift: readonly Drift[];
  /** Whether it is being fixed at the same time. */
  isFixed: boolean;
  /** When it was first found. */
  beganAt: number;
}

/** A firewall reports other addresses of its own than before. */
export interface AddressesEvent extends Occurrence {
  kind: 'addresses';
  firewall: string;
  change: AddressChange;
}

/** New blocks wait for approval, on any firewall. */
export interface HeldEvent extends Occurrence {
  kind: 'held';
  load: LoadStats;
  limits: LoadLimits;
  blocks: readonly Block[];
  alarms: AlarmsByBlock;
  /** Of the page that asks for a decision on these blocks, by the channel's name; none without the page. */
  links: Readonly<Record<string, string>>;
}

/** Long blocks end soon. */
export interface ExpiryEvent extends Occurrence {
  kind: 'expiry';
  /** At least one, the first to end first. */
  blocks: readonly Block[];
  alarms: AlarmsByBlock;
}

export interface LoadLimits {
  per_minute: number;
  active: number;
  per_destination: number;
  hold_for: number;
}

/** What happened in a day, the current state, and what needs attention. */
export interface DigestEvent extends Occurrence {
  kind: 'digest';
  day: DigestDay;
  /** Blocks that something happened to since the day began. */
  recent: readonly Block[];
  /** Blocks that are held, wait for a retry, have failed, or are bypassed. */
  open: readonly Block[];
  alarms: AlarmsByBlock;
  firewalls: readonly FirewallDigest[];
  /** The end of the audit log, as evidence against a log that was rewritten. Null before its first entry. */
  audit: { seq: number; hash: string } | null;
}

export interface FirewallDigest {
  name: string;
  active: number;
  /** Since when it is known to differ from the ledger; null if it is not. */
  driftSince: number | null;
}

/** Nothing happened: shows that messages arrive. */
export interface TestEvent extends Occurrence {
  kind: 'test';
}

/** The SIEM's data in the alarms that requested a block, by the block's id; for the blocks that are listed. */
export type AlarmsByBlock = ReadonlyMap<string, readonly { context: Readonly<Record<string, string>> }[]>;

/** Channels list at most this many blocks or differences, and count the rest. */
export const maxListed = 20;

/** The word of a channel's `on:` list that subscribes to this kind of event. */
export const topicOf = (kind: Event['kind']): string => topics[kind] ?? kind;

const topics: Partial<Record<Event['kind'], string>> = { addresses: 'drift', bypassed: 'failure' };
