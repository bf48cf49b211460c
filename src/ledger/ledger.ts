import type { AuditEntry, AuditHead } from '../core/audit.js';
import type { Block, BlockState } from '../core/block.js';
import type { Escalation } from '../core/escalation.js';
import type { Flow } from '../core/flow.js';
import type { Incident, IncidentChanges } from '../core/incident.js';
import type { BlockResult } from '../core/lifecycle.js';
import type { AddressChange, Seen } from '../core/policy.js';
import type { History, LoadStats, OutcomeRecord } from '../core/stats.js';
import type { MessageEnding, NewMessage, QueuedMessage } from './messages.js';

/**
 * The durable memory: what was asked for, what is in force, and who is at work. The port; what it is kept in lies below.
 *
 * What a method resolved with is on disk. Several processes, and with a server behind it several hosts, use one ledger
 * at the same time: every method is one transaction, and time is the ledger's own. Methods may be called while others of
 * the same process are under way, and none of them blocks the event loop.
 */
export interface Ledger extends BlockStore, Leases, Outbox, Incidents, Audit, Control {
  /** The same ledger, with decisions that the audit log says are this actor's. Cheap: one for each request. */
  as(actor: string): Ledger;
  /** Ends what is being written; what has not begun yet is refused. Closes every view of the ledger. */
  close(): Promise<void>;
}

/** Alarms and their blocks. */
export interface BlockStore {
  /** Records alarms, each with its blocks, in their order; the firewalls' leases are tried for in the same breath. */
  recordAlarms(alarms: readonly NewAlarm[], options: RecordOptions): Promise<RecordedAlarms>;
  /** Asks the matching blocks off their firewalls; gives them as they are then. */
  release(query: BlockQuery, reason: string): Promise<Block[]>;
  /** Moves blocks on as a person decided. Blocks that are in no state for the move are left alone and not given back. */
  decide(move: 'approve' | 'reject' | 'retry', ids: readonly string[] | 'all'): Promise<Block[]>;
  /** Asks off what is past its time, refuses what was held too long, forgets alarms that are too old. */
  expire(limits: { heldMs: number; keepAlarmsMs: number }): Promise<Block[]>;
  /** Has these blocks checked again: nobody knows what a run that lost its lease did last. */
  recheck(ids: readonly string[]): Promise<void>;
  /** Matching blocks, the newest request last. */
  findBlocks(query: BlockQuery): Promise<Block[]>;
  hasAlarm(id: string): Promise<boolean>;
  findAlarms(blockId: string): Promise<AlarmRecord[]>;
  /** What came in the last hour, in figures. */
  loadStats(): Promise<LoadStats>;
  /** What happened since then, in figures. */
  findHistory(since: number): Promise<History>;
}

/** Who applies changes to which firewall, and the runs that do. */
export interface Leases {
  /** Takes a firewall's lease if nobody alive holds it. One that lapsed names the run its holder may have left. */
  acquireLease(firewall: string, owner: string): Promise<Lease | undefined>;
  /** @returns false when the lease was lost: its holder must stop at once */
  renewLease(lease: Lease): Promise<boolean>;
  /** Takes over what another process acquired in our name. */
  takeOverLease(firewall: string, owner: string): Promise<Lease | undefined>;
  /** Gives the lease back. Without `force` it stays while work is due, and the answer is false. */
  releaseLease(lease: Lease, force?: boolean): Promise<boolean>;
  /** Claims what is due on the lease's firewall for a run, oldest first. @throws LeaseLost */
  claimBatch(lease: Lease, run: string, limit: number): Promise<ClaimedBlock[]>;
  /** Records what a run found, all of it or nothing; gives the blocks as they are then. @throws LeaseLost */
  settleBatch(lease: Lease, ended: EndedRun): Promise<Block[]>;
  /** When the youngest request that is due was made. */
  findWork(firewall: string): Promise<{ youngestAt: number | null }>;
  findRun(id: string): Promise<RunRecord | undefined>;
  /** The last so many runs, in the order in which they began, and those under way, whatever any clock says. */
  findRunsToKeep(many: number): Promise<string[]>;
}

/** Messages to people outside, and outcomes for those who follow them. */
export interface Outbox {
  /** Stores a message until it is sent, by whoever comes next. One whose id is known adds nothing. */
  queueMessage(message: NewMessage): Promise<void>;
  /** Whether a message is stored, sent or not. */
  hasMessage(id: string): Promise<boolean>;
  /**
   * Claims the messages that are due, and those that this sender holds already, for it alone, the oldest first.
   * One that was sent twice without confirmation does not leave again.
   */
  claimMessages(sender: string, forMs: number): Promise<QueuedMessage[]>;
  /** Says that the message leaves now: from here on it may have arrived. @returns false when it is not the sender's */
  markSending(id: string, sender: string, forMs: number): Promise<boolean>;
  /** Records how it ended, unless another sender has claimed the message since. */
  settleMessage(id: string, sender: string, ending: MessageEnding): Promise<void>;
  /**
   * Claims the next outcomes behind a cursor for this sender alone, in their order. Where there are none the cursor is
   * let go. It begins with those of the last ten minutes, and gives none that is older than a week.
   */
  claimOutcomes(cursor: string, sender: string, forMs: number): Promise<OutcomeRecord[]>;
  /** Moves the cursor behind `seq`; `retryAfterMs` lets it go, and nobody claims it for as long. */
  ackOutcomes(cursor: string, sender: string, passed: { seq?: number; retryAfterMs?: number }): Promise<void>;
}

/** What is wrong with firewalls, and what was seen of them. */
export interface Incidents {
  /** What is wrong with a firewall and was notified already. */
  findIncidents(firewall: string): Promise<Incident[]>;
  /** Records what is notified now and what is over, together with the messages that say so: both, or nothing. */
  recordIncidents(firewall: string, changes: IncidentChanges, messages: readonly NewMessage[]): Promise<void>;
  /** Records that a firewall was found not to agree with the ledger, in so many places. */
  recordDrift(firewall: string, differences: number): Promise<void>;
  /** What runs and callers have shown within the last days. */
  findSeen(): Promise<Seen>;
  /** Records the addresses that a firewall has by now, found by asking it. */
  recordAddresses(firewall: string, addresses: readonly string[]): Promise<void>;
  /** Says that the firewall is asked for its addresses now. @returns false where somebody asked within that time */
  beginAsking(firewall: string, everyMs: number): Promise<boolean>;
  /** By firewall, how its addresses changed last, within a week. */
  findAddressChanges(): Promise<AddressChange[]>;
  /** Records that a change is notified, together with the messages that say so. */
  markAddressChangeSent(firewall: string, messages: readonly NewMessage[]): Promise<void>;
}

/** What was decided, by whom. */
export interface Audit {
  /** Records a decision that is in no other method: a caller that was refused. */
  record(entry: AuditEntry): Promise<void>;
  /** Where the audit log ends; undefined before its first entry. */
  findAuditHead(): Promise<(AuditHead & { isKeyed: boolean }) | undefined>;
  /** When the oldest block that is known was made; undefined where there is none. */
  findOldestBlock(): Promise<number | undefined>;
}

/** How processes take turns, and what stops them all. */
export interface Control {
  /** From now on no lease is given and no run begins, until `unfreeze`; everything else goes on. */
  freeze(reason: string, by: string): Promise<void>;
  /** @returns false where nothing was frozen */
  unfreeze(): Promise<boolean>;
  findFreeze(): Promise<Freeze | undefined>;
  /** Says that one more process waits. @returns false if enough do already */
  beginWaiting(waiter: string, most: number, forMs: number): Promise<boolean>;
  endWaiting(waiter: string): Promise<void>;
  /** Says that this process serves one more caller, who is remembered. @returns false if as many as may are served */
  beginSession(session: NewSession): Promise<boolean>;
  endSession(session: string): Promise<void>;
  /** Resolves when something may have changed, or when the time is up. */
  waitForChange(timeoutMs: number): Promise<void>;
  now(): Promise<number>;
}

/** One alarm as it came, with what is to be blocked for it. */
export interface NewAlarm {
  id: string;
  /** Where it came from, for people: `ssh 192.0.2.9`, `root on a terminal`. */
  origin: string;
  /** The SIEM's ids and figures. `event-id` tells a message that comes twice. */
  context: Readonly<Record<string, string>>;
  blocks: readonly BlockRequest[];
}

export interface BlockRequest {
  firewall: string;
  flow: Flow;
  description: string;
  /** Null for ever. */
  durationMs: number | null;
  /** Longer for a source that was blocked before; undefined where a person said how long. */
  escalation?: Escalation | undefined;
  /** The policy's sentence: it is recorded as refused. */
  refusal?: string | undefined;
  /** Why an operator has it blocked against the policy. */
  override?: string | undefined;
}

export interface RecordOptions {
  recheckMs: number;
  /** For how long the same event adds nothing, while its block is in force. */
  sameEventMs?: number | undefined;
  limits?: AlarmLimits | undefined;
  /** Who tries for the leases of firewalls that have work, if anybody. */
  owner?: string | undefined;
  /** The owner is a process that is only about to be started. */
  isHandedOver?: boolean | undefined;
}

/** Beyond these a new block is held. */
export interface AlarmLimits {
  /** Alarms in a minute that make new blocks. */
  perMinute: number;
  /** Blocks in force on one firewall. */
  active: number;
  /** Of these, towards one destination. */
  perDestination?: number;
  /** The share of each limit, in percent, that is kept for alarms of high risk and for sources that alarmed before. */
  reserved?: number;
  highRisk?: number;
}

export interface RecordedAlarms {
  /** For each alarm its blocks, in the order in which they were asked for. */
  blocks: Block[][];
  /** Leases that were free and are ours now. */
  leases: Lease[];
  /** Ids of blocks that this very event had asked for already. */
  repeated: string[];
  /** Whether these are the first that are held: somebody has to be told. */
  isFirstHeld: boolean;
}

export interface NewSession {
  id: string;
  /** Sessions at once, in all and of one caller. */
  most: number;
  mostOfCaller: number;
  forMs: number;
  /** The caller's address; undefined where there is none. */
  caller?: string | undefined;
  /** Dry runs come one at a time, and leave room for alarms. */
  isDryRun: boolean;
}

export interface Freeze {
  at: number;
  by: string;
  reason: string;
}

export interface BlockQuery {
  ids?: readonly string[];
  /** An id, or its end. */
  idEnding?: string;
  states?: readonly BlockState[];
  /** Blocks that something happened to since then. */
  updatedSince?: number;
  firewalls?: readonly string[];
  source?: string;
  destination?: string;
  port?: string;
}

export interface AlarmRecord {
  id: string;
  receivedAt: number;
  origin: string;
  context: Record<string, string>;
}

/** The right to run a firewall's batches. `fence` grows with every holder: a late writer is known by it. */
export interface Lease {
  readonly firewall: string;
  readonly owner: string;
  readonly fence: number;
  /** A run that the holder before may have left behind. */
  readonly orphan: string | null;
}

/** A block as a run claims it: `revision` and `wanted` are what it settles. */
export type ClaimedBlock = Block;

export interface EndedRun {
  id: string;
  ms: number;
  claimed: readonly ClaimedBlock[];
  resultOf: (block: ClaimedBlock) => BlockResult;
  /** The firewall's own, where the run has seen them. */
  addresses?: readonly string[] | undefined;
  giveUpMs: number;
}

export interface RunRecord {
  id: string;
  firewall: string;
  startedAt: number;
  ms: number | null;
  batch: number;
}

/** Another process holds the lease by now; whoever meets this stops and writes nothing. */
export class LeaseLost extends Error {
  constructor(firewall: string) {
    super(`another process carries the batches of ${firewall} by now`);
    this.name = 'LeaseLost';
  }
}

/** How long a lease holds without being renewed. */
export const leaseMs = 12_000;
export const renewEveryMs = 3_000;
