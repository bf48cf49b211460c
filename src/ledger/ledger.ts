import type { Allowance } from '../core/allowance.js';
import type { AuditEntry, AuditHead } from '../core/audit.js';
import type { Block, BlockState, ProofLevel } from '../core/block.js';
import type { Escalation } from '../core/escalation.js';
import type { Flow } from '../core/flow.js';
import type { Incident, IncidentChanges } from '../core/incident.js';
import type { BlockResult } from '../core/lifecycle.js';
import type { AddressChange, FirewallFacts, Seen } from '../core/policy.js';
import type { Proof } from '../core/proof.js';
import type { Quota, Session } from '../core/quota.js';
import type { Person, WebSession } from '../core/role.js';
import type { Token } from '../core/token.js';
import type { Counts, History, LoadStats, OutcomeQuery, OutcomeRecord, Overview } from '../core/stats.js';
import type { MessageEnding, NewMessage, QueuedMessage } from './messages.js';

/**
 * The durable memory: requests, blocks, and the processes at work. This is the port; the storage is below it.
 *
 * When a method resolves, its changes are on disk. Several processes, or with a database server several hosts, use one
 * ledger at the same time: every method is one transaction, and time is the ledger's own. Methods may be called while
 * others of the same process are in progress, and none of them blocks the event loop.
 */
export interface Ledger
  extends BlockStore, Leases, Outbox, Incidents, Allowances, Tokens, People, DecisionLinks, Audit, Control {
  /** The same ledger; the audit log records its decisions as this actor's. Cheap: one per request. */
  as(actor: string): Ledger;
  /** Finishes the open transaction and refuses later ones. Closes every view of the ledger. */
  close(): Promise<void>;
}

/** Alarms and their blocks. */
export interface BlockStore {
  /**
   * Records alarms, each with its blocks, in order, unless its id is known; tries to acquire the firewalls' leases in the
   * same transaction.
   */
  recordAlarms(alarms: readonly NewAlarm[], options: RecordOptions): Promise<RecordedAlarms>;
  /** Requests the release of the matching blocks; returns them afterwards. */
  release(query: BlockQuery, reason: string): Promise<Block[]>;
  /** Applies an operator's decision. Blocks in other states are neither changed nor returned. */
  decide(move: 'approve' | 'reject' | 'retry', ids: readonly string[] | 'all', reason?: string): Promise<Block[]>;
  /** Changes what the ledger alone knows of a block: its end (null: forever), or an operator's note. */
  amend(id: string, change: Amendment): Promise<Block>;
  /** Releases expired blocks, refuses those held too long, and deletes old records. */
  expire(limits: { heldMs: number; keepAlarmsMs: number }): Promise<Block[]>;
  /** Makes these blocks due again: the effect of a run that lost its lease is unknown. */
  recheck(ids: readonly string[]): Promise<void>;
  /** Records what a query that began at `askedAt` found the proofs of active blocks to be worth, by block id. */
  recordProofs(proofs: ReadonlyMap<string, Proof>, askedAt: number): Promise<void>;
  /** Records how pf's counters of packets stand, by block id: each in a transaction with a few hundred others. */
  recordPackets(counters: ReadonlyMap<string, number>): Promise<void>;
  /** Matching blocks, the newest request last. */
  findBlocks(query: BlockQuery): Promise<Block[]>;
  /** The same page by page, for any number of blocks. */
  readBlocks(query: BlockQuery): AsyncIterable<Block[]>;
  /** The sources of matching blocks, each once, in the order of their text, page by page. */
  readSources(query: BlockQuery): AsyncIterable<string[]>;
  /** One page of them in an order that people read, each with the origin of its first alarm. */
  findBlockPage(query: BlockQuery, page: BlockPage): Promise<ListedBlock[]>;
  countBlocks(query: BlockQuery): Promise<number>;
  /** Ids of the blocks that the last alarm of this origin requested. */
  findLastRequested(origin: string): Promise<string[]>;
  findAlarms(blockId: string): Promise<AlarmRecord[]>;
  /** The latest alarms, newest first. @param before only those received before this one */
  findLatestAlarms(limit: number, before?: string): Promise<AlarmRecord[]>;
  /** Figures of the last hour. */
  loadStats(): Promise<LoadStats>;
  /** Figures since then. */
  findHistory(since: number): Promise<History>;
  /** The current state of each of these firewalls, and of the rest. */
  findOverview(firewalls: readonly string[]): Promise<Overview>;
  /** What happened since then, for counters. */
  findCounts(since: number): Promise<Counts>;
  /** What happened to blocks, oldest first. */
  findOutcomes(query: OutcomeQuery): Promise<OutcomeRecord[]>;
}

/** The processes that apply changes to each firewall, and their runs. */
export interface Leases {
  /** Acquires a firewall's lease unless a live process holds it. A lapsed one names the run its holder may have left. */
  acquireLease(firewall: string, owner: string): Promise<Lease | undefined>;
  /** @returns false if the lease was lost: its holder must stop immediately */
  renewLease(lease: Lease): Promise<boolean>;
  /** Takes over a lease that another process acquired in our name. */
  takeOverLease(firewall: string, owner: string): Promise<Lease | undefined>;
  /** Releases the lease. Without `force`, returns false and keeps the lease while work is due. */
  releaseLease(lease: Lease, force?: boolean): Promise<boolean>;
  /** Claims what is due on the lease's firewall for a run, oldest first. @throws LeaseLost */
  claimBatch(lease: Lease, run: string, limit: number): Promise<ClaimedBlock[]>;
  /** Records the results of a run, all or none; returns the blocks afterwards. @throws LeaseLost */
  settleBatch(lease: Lease, ended: EndedRun): Promise<Block[]>;
  /** When the youngest due request was made. */
  findWork(firewall: string): Promise<{ youngestAt: number | null }>;
  findRun(id: string): Promise<RunRecord | undefined>;
  /** The latest runs, `many` at most, in the order in which they began, and those in progress, whatever the clock says. */
  findRunsToKeep(many: number): Promise<string[]>;
}

/** Outgoing messages, and outcomes for channels that follow them. */
export interface Outbox {
  /** Stores a message until some process sends it. A message with a known id is ignored. */
  queueMessage(message: NewMessage): Promise<void>;
  /** Whether a message is stored, sent or not. */
  hasMessage(id: string): Promise<boolean>;
  /**
   * Claims the due messages, and those this sender has already claimed, for it alone, oldest first.
   * A message that was sent twice without confirmation is not sent again.
   */
  claimMessages(sender: string, forMs: number): Promise<QueuedMessage[]>;
  /** Marks the message as being sent: from now on it may have arrived. @returns false if it is not the sender's */
  markSending(id: string, sender: string, forMs: number): Promise<boolean>;
  /** Extends the sender's claim on the messages that it has not settled. */
  renewMessages(sender: string, forMs: number): Promise<void>;
  /** Records the result, unless another sender has claimed the message since. */
  settleMessage(id: string, sender: string, ending: MessageEnding): Promise<void>;
  /**
   * Claims the next outcomes after a cursor for this sender alone, in order. If there are none, the cursor is
   * released. A new cursor begins with those of the last ten minutes; outcomes older than a week are skipped.
   */
  claimOutcomes(cursor: string, sender: string, forMs: number): Promise<OutcomeRecord[]>;
  /** Moves the cursor past `seq`; `retryAfterMs` releases it, and no sender can claim it for that time. */
  ackOutcomes(cursor: string, sender: string, passed: { seq?: number; retryAfterMs?: number }): Promise<void>;
}

/** Failures of firewalls, and facts learned about them. */
export interface Incidents {
  /** The failures of a firewall that were already reported. */
  findIncidents(firewall: string): Promise<Incident[]>;
  /** Records reported and resolved failures together with their messages: both, or nothing. */
  recordIncidents(firewall: string, changes: IncidentChanges, messages: readonly NewMessage[]): Promise<void>;
  /** Records how many differences between a firewall and the ledger were found. */
  recordDrift(firewall: string, differences: number): Promise<void>;
  /** What was learned from runs and callers within the last days. */
  findSeen(): Promise<Seen>;
  /** Records that a host sends alarms: it is not blocked for 30 days. */
  recordCaller(address: string): Promise<void>;
  /** Records the current addresses of a firewall, found by querying it. */
  recordAddresses(firewall: string, addresses: readonly string[]): Promise<void>;
  /** Records what a firewall reports of itself besides its addresses. */
  recordFacts(firewall: string, facts: FirewallFacts): Promise<void>;
  /** Marks the firewall as being queried for its addresses. @returns false if it was queried within that time */
  beginAsking(firewall: string, everyMs: number): Promise<boolean>;
  /** The last change of each firewall's addresses, within a week. */
  findAddressChanges(): Promise<AddressChange[]>;
  /** Records that a change was reported, together with its messages. */
  markAddressChangeSent(firewall: string, messages: readonly NewMessage[]): Promise<void>;
  /**
   * Active blocks of seven days and more that end within twice this time and were not reported: none, unless one of
   * them ends within this time.
   */
  findEnding(withinMs: number): Promise<Block[]>;
  /** Records that the ends of these blocks were reported, together with the messages. */
  markEndingSent(blocks: readonly Block[], messages: readonly NewMessage[]): Promise<void>;
}

/** What an operator says must not be blocked. */
export interface Allowances {
  /** Adds an entry, or replaces the one of the same address. */
  allow(entry: NewAllowance): Promise<void>;
  /** Ends the allowance and the grace time of an address. @returns false if it has none */
  disallow(address: string): Promise<boolean>;
  /** The entries whose time is not over. */
  findAllowances(): Promise<Allowance[]>;
  /** Records the current addresses of a host name. */
  recordResolved(address: string, resolved: readonly string[]): Promise<void>;
}

export interface NewAllowance {
  kind: Allowance['kind'];
  address: string;
  /** By default all firewalls. */
  firewall?: string;
  /** Null: forever. */
  durationMs: number | null;
  reason: string;
  resolved?: readonly string[];
}

/** Tokens of the HTTP server. */
export interface Tokens {
  /** @returns false if there is a token of this name */
  addToken(token: NewToken): Promise<boolean>;
  /** @returns false if there is none of this name */
  revokeToken(name: string): Promise<boolean>;
  /** Those that have not expired. */
  findTokens(): Promise<Token[]>;
  /** The token whose secret has this hash, unless it has expired. */
  findToken(hash: string): Promise<Token | undefined>;
}

export interface NewToken extends Pick<Token, 'name' | 'scope' | 'source' | 'networks'> {
  /** SHA-256 of the secret, in hex. */
  hash: string;
  /** Null: forever. */
  durationMs: number | null;
}

/** People who log in to the page, and their sessions. */
export interface People {
  /** @returns false if there is a person of this name */
  addPerson(person: NewPerson): Promise<boolean>;
  /** Changes role or password, and ends the person's sessions. @returns false if there is none of this name */
  changePerson(name: string, change: Partial<Omit<NewPerson, 'name'>>): Promise<boolean>;
  /** Removes a person, and ends the person's sessions. @returns false if there is none of this name */
  removePerson(name: string): Promise<boolean>;
  findPeople(): Promise<Person[]>;
  findPerson(name: string): Promise<(Person & { password: string }) | undefined>;
  addWebSession(session: NewWebSession): Promise<void>;
  /** The session of this hash, unless it has expired or was not used for so long. */
  findWebSession(hash: string, idleMs: number): Promise<WebSession | undefined>;
  /** The sessions of a person, the latest first. */
  findWebSessions(name: string, idleMs: number): Promise<WebSession[]>;
  /** Records that a session is used now. */
  touchWebSession(hash: string): Promise<void>;
  endWebSession(session: Pick<WebSession, 'hash' | 'name'>): Promise<void>;
  /** Ends all sessions of a person, except that of this hash. */
  endWebSessions(name: string, except?: string): Promise<void>;
}

export interface NewPerson extends Pick<Person, 'name' | 'role'> {
  /** Its hash and the parameters of that. */
  password: string;
}

export interface NewWebSession extends Omit<WebSession, 'startedAt' | 'seenAt'> {
  forMs: number;
}

/** Links in messages, by which their reader decides on held blocks without a login. */
export interface DecisionLinks {
  addDecisionLink(link: NewDecisionLink): Promise<void>;
  /** The link of this hash, unless it was used or has expired. */
  findDecisionLink(hash: string): Promise<DecisionLink | undefined>;
  /** The same, and ends it. */
  takeDecisionLink(hash: string): Promise<DecisionLink | undefined>;
}

export interface DecisionLink {
  /** The ids of the blocks that it decides on. */
  blocks: readonly string[];
  /** The channel and its recipients: `mail to soc@example.org`. */
  sentBy: string;
}

export interface NewDecisionLink extends DecisionLink {
  /** SHA-256 of the secret, in hex. */
  hash: string;
  forMs: number;
}

/** The audit log: decisions and their actors. */
export interface Audit {
  /** Records a decision that no other method records: a refused caller. */
  record(entry: AuditEntry): Promise<void>;
  /** The end of the audit log; undefined before its first entry. */
  findAuditHead(): Promise<(AuditHead & { isKeyed: boolean }) | undefined>;
  /** The same together with what `measure` finds of the log's files while no other process writes to them. */
  readAuditEnd<T>(measure: () => T): Promise<{ head: (AuditHead & { isKeyed: boolean }) | undefined; files: T }>;
  /** When the oldest known block was created; undefined if there is none. */
  findOldestBlock(): Promise<number | undefined>;
}

/** Coordination of processes, and the freeze that stops all changes. */
export interface Control {
  /** Until `unfreeze`, no lease is acquired and no run begins; everything else continues. */
  freeze(reason: string, by: string): Promise<void>;
  /** @returns false if nothing was frozen */
  unfreeze(): Promise<boolean>;
  findFreeze(): Promise<Freeze | undefined>;
  /** Makes alarms dry runs on these firewalls. */
  beginObserving(firewalls: readonly string[]): Promise<void>;
  findObserving(): Promise<Observing[]>;
  /** Ends that, and the blocks that were only observed there; returns these. */
  endObserving(firewalls: readonly string[]): Promise<Block[]>;
  /** Registers a waiting process. @returns false if `max` are waiting already */
  beginWaiting(waiter: string, max: number, forMs: number): Promise<boolean>;
  endWaiting(waiter: string): Promise<void>;
  /** Registers a session, and the caller as a learned address. @returns false if the limits are reached */
  beginSession(session: NewSession): Promise<boolean>;
  endSession(session: string): Promise<void>;
  /** Resolves when something may have changed, or the time is up. */
  waitForChange(timeoutMs: number): Promise<void>;
  /** When the ledger was first used. */
  findBeginning(): Promise<number>;
  now(): Promise<number>;
}

/** One alarm as received, with the blocks it requests. */
export interface NewAlarm {
  id: string;
  /** Who sent it, for the audit log; by default the actor of the ledger. */
  by?: string;
  /** Its origin, for people: `ssh 192.0.2.9`, `root on a terminal`. */
  origin: string;
  /** The SIEM's ids and figures. `event-id` identifies an event that arrives twice. */
  context: Readonly<Record<string, string>>;
  blocks: readonly BlockRequest[];
}

export type Amendment = { expiresAt: number | null } | { comment: string | null };

export interface BlockRequest {
  firewall: string;
  flow: Flow;
  description: string;
  /** Null: forever. */
  durationMs: number | null;
  /** Longer for a source that was blocked before; undefined if the request gives a duration. */
  escalation?: Escalation | undefined;
  /** Why the policy refuses it; then it is recorded as refused. */
  refusal?: string | undefined;
  /** Why a new block is refused for a time, because the source was released. A block in force goes on. */
  grace?: string | undefined;
  /** Why an operator overrides the policy. */
  override?: string | undefined;
  /** Added to those of the block. */
  tags?: readonly string[] | undefined;
  /** The firewall is in observe mode: a block in force stays as it is, a new one is a dry run. */
  isObserved?: boolean | undefined;
}

export interface RecordOptions {
  recheckMs: number;
  /** For how long the same event is ignored while its block is in force. */
  sameEventMs?: number | undefined;
  limits?: AlarmLimits | undefined;
  /** Leaves a block in force whose address has become protected; by default the next run removes it. */
  keepsProtected?: boolean | undefined;
  /** The owner of leases to acquire for firewalls with due work; undefined acquires none. */
  owner?: string | undefined;
  /** The owner is a process that has yet to start. */
  isHandedOver?: boolean | undefined;
}

/** A new block above these limits is held. */
export interface AlarmLimits {
  /** Alarms per minute that create new blocks. */
  perMinute: number;
  /** Blocks in force on one firewall. */
  active: number;
  /** Of these, towards one destination. */
  perDestination?: number;
  /** The percentage of each limit reserved for alarms of high risk and for sources that alarmed before. */
  reserved?: number;
  highRisk?: number;
}

export interface RecordedAlarms {
  /** For each alarm its blocks, in the order of the request. */
  blocks: Block[][];
  /** For each alarm whether its id was recorded before: then its blocks are those of that time. */
  wasKnown: boolean[];
  /** Leases that were free and are now ours. */
  leases: Lease[];
  /** Ids of blocks that this same event had already requested. */
  repeated: string[];
  /** Ids of current blocks that end later now. */
  extended: string[];
  /** Whether these are the first held blocks, which requires a notification. */
  isFirstHeld: boolean;
}

export interface NewSession extends Session, Quota {
  id: string;
  forMs: number;
}

/** A firewall whose alarms an operator has made dry runs. */
export interface Observing {
  firewall: string;
  at: number;
  by: string;
}

export interface Freeze {
  at: number;
  by: string;
  reason: string;
}

export interface BlockQuery {
  ids?: readonly string[];
  /** Those that this alarm requested. */
  alarm?: string;
  /** Blocks recorded after the one with this id; pages of `readBlocks` are in this order. */
  after?: string | undefined;
  /** An id, or its end. */
  idEnding?: string;
  states?: readonly BlockState[];
  /** What their proofs are worth. */
  proofs?: readonly ProofLevel[];
  /** Blocks that changed since then. */
  updatedSince?: number;
  firewalls?: readonly string[];
  trackers?: readonly number[];
  /** Blocks that have all of these. */
  tags?: readonly string[];
  source?: string;
  sources?: readonly string[];
  /** Blocks that only alarms of this origin requested. */
  onlyOf?: string;
  /** Blocks whose source begins with this text. */
  sourcePrefix?: string;
  /** Blocks whose source is a network. */
  hasNetworkSource?: boolean;
  destination?: string;
  port?: string;
  /** Blocks with this text in an address, the description, the reason, the comment or the id. */
  search?: string | undefined;
  /** Blocks that require something of a firewall or of an operator. */
  isCurrent?: boolean | undefined;
  /** Blocks whose last run failed, given up or not. */
  isFailing?: boolean | undefined;
  /** Blocks recorded at this time or before. */
  createdUntil?: number | undefined;
}

export interface BlockPage {
  /** The newest first; or the first to end. */
  order: 'newest' | 'end';
  limit: number;
  /** Only blocks that follow the one with this id in this order. */
  from?: string | undefined;
}

export interface ListedBlock {
  block: Block;
  /** Null if its alarms were purged. */
  origin: string | null;
}

export interface AlarmRecord {
  id: string;
  receivedAt: number;
  origin: string;
  context: Record<string, string>;
}

/** The right to run a firewall's batches. `fence` grows with every holder, which exposes a late writer. */
export interface Lease {
  readonly firewall: string;
  readonly owner: string;
  readonly fence: number;
  /** A run that the previous holder may have left behind. */
  readonly orphan: string | null;
}

/** A block as a run claims it, with the `revision` and the `desired` state that it applies. */
export type ClaimedBlock = Block;

export interface EndedRun {
  id: string;
  ms: number;
  claimed: readonly ClaimedBlock[];
  resultOf: (block: ClaimedBlock) => BlockResult;
  /** The firewall's own addresses, if the run read them. */
  addresses?: readonly string[] | undefined;
  /** What else it read of the firewall itself. */
  facts?: FirewallFacts | undefined;
  giveUpMs: number;
}

export interface RunRecord {
  id: string;
  firewall: string;
  startedAt: number;
  ms: number | null;
  batch: number;
}

/** Another process now holds the lease; the caller stops and writes nothing. */
export class LeaseLost extends Error {
  constructor(firewall: string) {
    super(`another process now holds the lease of ${firewall}`);
    this.name = 'LeaseLost';
  }
}

/** How long a lease is valid without renewal. */
export const leaseMs = 12_000;
export const renewEveryMs = 3_000;
