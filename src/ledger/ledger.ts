import type { AuditEntry, AuditHead } from '../core/audit.js';
import type { Block, BlockState } from '../core/block.js';
import type { Escalation } from '../core/escalation.js';
import type { Flow } from '../core/flow.js';
import type { Incident, IncidentChanges } from '../core/incident.js';
import type { Finding } from '../core/lifecycle.js';
import type { AddressChange, Seen } from '../core/policy.js';
import type { History, OutcomeRecord, Storm } from '../core/stats.js';
import type { MessageEnding, NewMessage, QueuedMessage } from './messages.js';

/**
 * The durable memory: what was asked for, what stands, and who is at work. The port; adapters lie beside it.
 *
 * What a method resolved with is on disk. Several processes, and with a server behind it several hosts, use one ledger
 * at the same time: every method is one transaction, and time is the ledger's own.
 */
export interface Ledger {
  /** Keeps alarms, each with its blocks, in their order; the firewalls' leases are tried for in the same breath. */
  keep(alarms: readonly KeepAlarm[], options: KeepOptions): Promise<Kept>;
  /** Asks the matching blocks off their firewalls; gives them as they stand then. */
  release(query: BlockQuery, reason: string): Promise<Block[]>;
  /** Moves blocks on as a person decided. Blocks that are in no state for the move are left alone and not given back. */
  decide(move: 'approve' | 'reject' | 'retry', ids: readonly string[] | 'all'): Promise<Block[]>;
  /** Asks off what is past its time, refuses what was held too long, forgets alarms that are too old. */
  expire(limits: { heldMs: number; keepAlarmsMs: number }): Promise<Block[]>;
  /** Matching blocks, the newest request last. */
  findBlocks(query: BlockQuery): Promise<Block[]>;
  hasAlarm(id: string): Promise<boolean>;
  findAlarms(blockId: string): Promise<AlarmRecord[]>;
  findRun(id: string): Promise<RunRecord | undefined>;
  /** The last so many runs, in the order in which they began, and those under way, whatever any clock says. */
  findRunsToKeep(many: number): Promise<string[]>;
  /** What runs and callers have shown within the last days. */
  findSeen(): Promise<Seen>;
  /** Notes the addresses that a firewall tells by now, found by asking it. */
  noteAddresses(firewall: string, addresses: readonly string[]): Promise<void>;
  /** Says that the firewall is asked for its addresses now. @returns false where somebody asked within that time */
  beginAsking(firewall: string, everyMs: number): Promise<boolean>;
  /** By firewall, how its addresses changed last, within a week. */
  findAddressChanges(): Promise<AddressChange[]>;
  /** Notes that a change is told, together with the messages that tell it. */
  tellAddressChange(firewall: string, messages: readonly NewMessage[]): Promise<void>;

  /** Takes a firewall's lease if nobody alive holds it. One that lapsed names the run its holder may have left. */
  acquireLease(firewall: string, owner: string): Promise<Lease | undefined>;
  /** @returns false when the lease was lost: its holder must stop at once */
  renewLease(lease: Lease): Promise<boolean>;
  /** Takes over what another process acquired in our name. */
  takeOverLease(firewall: string, owner: string): Promise<Lease | undefined>;
  /** Gives the lease back. Without `force` it stays while work is due, and the answer is false. */
  releaseLease(lease: Lease, force?: boolean): Promise<boolean>;

  /** Takes what is due on the lease's firewall along, oldest first. @throws LeaseLost */
  claimBatch(lease: Lease, run: string, limit: number): Promise<ClaimedBlock[]>;
  /** Records what a run found, all of it or nothing; gives the blocks as they stand then. @throws LeaseLost */
  settleBatch(lease: Lease, ended: EndedRun): Promise<Block[]>;
  /** Has these blocks looked at again: nobody knows what a run that lost its lease did last. */
  doubt(ids: readonly string[]): Promise<void>;
  /** When the youngest request that is due was made, and when the next one will be due. */
  findWork(firewall: string): Promise<{ youngestAt: number | null; nextAt: number | null }>;

  /** Says that one more process waits. @returns false if enough do already */
  beginWaiting(waiter: string, most: number, forMs: number): Promise<boolean>;
  endWaiting(waiter: string): Promise<void>;
  /** Says that this process serves one more caller, who is remembered. @returns false if as many as may are served */
  beginSession(session: NewSession): Promise<boolean>;
  endSession(session: string): Promise<void>;
  /** Resolves when something may have changed, or when the time is up. */
  changed(timeoutMs: number): Promise<void>;

  /** From now on no lease is given and no run begins, until `unfreeze`; everything else goes on. */
  freeze(reason: string, by: string): Promise<void>;
  /** @returns false where nothing was frozen */
  unfreeze(): Promise<boolean>;
  findFreeze(): Promise<Freeze | undefined>;
  /** What came in the last hour, in figures. */
  findStorm(): Promise<Storm>;

  /** Remembers that a firewall was found not to agree with the ledger, in so many places. */
  noteDrift(firewall: string, differences: number): Promise<void>;
  /** What happened since then, in figures. */
  findHistory(since: number): Promise<History>;

  /** Writes down what was decided and is in no other method: a caller that was refused. */
  note(entry: AuditEntry): Promise<void>;
  /** Where the audit log ends; undefined before its first entry. */
  findAuditHead(): Promise<(AuditHead & { isKeyed: boolean }) | undefined>;
  /** When the oldest block that is known was made; undefined where there is none. */
  findOldestBlock(): Promise<number | undefined>;

  /** Keeps a message until it is sent, by whoever comes next. One whose id is known adds nothing. */
  queueMessage(message: NewMessage): Promise<void>;
  /** Whether a message is kept, sent or not. */
  hasMessage(id: string): Promise<boolean>;
  /** What is wrong with a firewall and was told already. */
  findIncidents(firewall: string): Promise<Incident[]>;
  /** Notes what is told now and what is over, together with the messages that tell it: both, or nothing. */
  tellIncidents(firewall: string, changes: IncidentChanges, messages: readonly NewMessage[]): Promise<void>;
  /**
   * Takes the messages that are due, and those that this sender holds already, for it alone, the oldest first.
   * One that was given away twice with nobody knowing whether it arrived is set aside.
   */
  claimMessages(sender: string, forMs: number): Promise<QueuedMessage[]>;
  /** Says that the message leaves now: from here on it may have arrived. @returns false when it is not the sender's */
  beginHanding(id: string, sender: string, forMs: number): Promise<boolean>;
  /** Records how it ended, unless another sender has taken the message since. */
  settleMessage(id: string, sender: string, ending: MessageEnding): Promise<void>;
  /**
   * Takes the next outcomes that a feed has not told yet for this sender alone, in their order. Where there are none the
   * feed is let go. It begins with those of the last ten minutes, and tells none that is older than a week.
   */
  claimOutcomes(feed: string, sender: string, forMs: number): Promise<OutcomeRecord[]>;
  /** The feed has told all up to this one; `restMs` lets it go, and nobody takes it for as long. */
  passOutcomes(feed: string, sender: string, passed: { seq?: number; restMs?: number }): Promise<void>;

  /** All messages that are kept, the oldest first. */
  findMessages(): Promise<QueuedMessage[]>;

  now(): number;
  close(): void;
}

/** One alarm as it came, with what is to be blocked for it. */
export interface KeepAlarm {
  id: string;
  /** Where it came from, for people: `ssh 192.0.2.9`, `root on a terminal`. */
  origin: string;
  /** The SIEM's ids and figures. `event-id` tells a message that comes twice. */
  context: Readonly<Record<string, string>>;
  blocks: readonly KeepBlock[];
}

export interface KeepBlock {
  firewall: string;
  flow: Flow;
  description: string;
  /** Null for ever. */
  durationMs: number | null;
  /** Longer for a source that was blocked before; undefined where a person said how long. */
  escalation?: Escalation | undefined;
  /** The policy's sentence: it is kept as refused. */
  refusal?: string | undefined;
  /** Why an operator has it blocked against the policy. */
  override?: string | undefined;
}

export interface KeepOptions {
  recheckMs: number;
  /** For how long the same event adds nothing, while its block stands. */
  sameEventMs?: number | undefined;
  limits?: KeepLimits | undefined;
  /** Who tries for the leases of firewalls that have work, if anybody. */
  owner?: string | undefined;
  /** The owner is a process that is only about to be started. */
  isHandedOver?: boolean | undefined;
}

/** Beyond these a new block is held. */
export interface KeepLimits {
  /** Alarms in a minute that make new blocks. */
  perMinute: number;
  /** Blocks that stand on one firewall. */
  active: number;
  /** Of these, towards one destination. */
  perDestination?: number;
  /** The share of each limit, in percent, that is kept for alarms of high risk and for sources that alarmed before. */
  reserved?: number;
  highRisk?: number;
}

export interface Kept {
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

/** A block as a run takes it along: `revision` and `wanted` are what it settles. */
export type ClaimedBlock = Block;

export interface EndedRun {
  id: string;
  ms: number;
  claimed: readonly ClaimedBlock[];
  findingOf: (block: ClaimedBlock) => Finding;
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
