import type { Flow } from './flow.js';

/**
 * The states of a block, and its transitions.
 *
 *   held --approve--> pending --proven--> active --unblock, expiry--> releasing --proven--> released
 *   pending --dry run in observe mode--> observed --expiry, end of observe mode--> released
 *   held --reject--> refused   pending, releasing --tries used up--> failed --retry, alarm--> pending, releasing
 */
export const blockStates = [
  'held',
  'pending',
  'active',
  'observed',
  'releasing',
  'released',
  'refused',
  'failed',
] as const;
export type BlockState = (typeof blockStates)[number];

/** States of blocks that require something of a firewall or of an operator. */
export const currentStates: readonly BlockState[] = ['held', 'pending', 'active', 'observed', 'releasing', 'failed'];

/** States that end a block's life: the next alarm of its flow creates a new block. */
export const isOver = ({ state }: Pick<Block, 'state'>): boolean => state === 'released' || state === 'refused';

/** Why the last run did not bring a block to its desired state. */
export type FailureKind = 'unreachable' | 'failed' | 'stopped' | 'frozen';

/**
 * What the proof of a block in force is worth: pf drops its packets by our rule; the rule is in pf, but what pf decides
 * is not known; another rule passes them first; they never come to this rule.
 */
export const proofLevels = ['decides', 'listed', 'shadowed', 'unreachable_path'] as const;
export type ProofLevel = (typeof proofLevels)[number];

/**
 * One flow on one firewall, with its lifetime. Times are milliseconds since the epoch.
 *
 * Each request raises `revision`; a run records in `claimedRevision` which one it applies and in `doneRevision` which
 * one it has completed. So a request that arrives during a run is neither lost nor taken for done.
 */
export interface Block {
  readonly id: string;
  readonly firewall: string;
  readonly flow: Flow;
  readonly tracker: number;
  readonly description: string;
  readonly state: BlockState;
  /** The state to bring the firewall to. */
  readonly desired: 'present' | 'absent';
  readonly revision: number;
  readonly claimedRevision: number;
  readonly doneRevision: number;
  /** Whether the last run that applied it changed the firewall. */
  readonly changed: boolean;
  /** How many alarms requested it. */
  readonly alarms: number;
  readonly createdAt: number;
  /** When the current desired state was requested: the time to proof counts from then. */
  readonly requestedAt: number;
  readonly updatedAt: number;
  /** Null: forever. */
  readonly expiresAt: number | null;
  /** When a run last proved it on the firewall. */
  readonly provenAt: number | null;
  /** What that proof is worth, and why; null in a ledger of an earlier release, and if the rule is not to be in force. */
  readonly proof: ProofLevel | null;
  readonly proofMessage: string | null;
  /** At least so many packets its rule has stopped, and when a query last found that there were more; null: never. */
  readonly packets: number;
  readonly packetsAt: number | null;
  /** When a run is to apply it; null while nothing is due. */
  readonly dueAt: number | null;
  /** How many runs failed in a row, and since when. */
  readonly failures: number;
  readonly failingSince: number | null;
  readonly failure: FailureKind | null;
  readonly failureCode: string | null;
  readonly reason: string | null;
  /** The run that last applied it. */
  readonly run: string | null;
  /** Why an operator overrode the policy. */
  readonly override: string | null;
  /** An operator's note. */
  readonly comment: string | null;
  /** Words of the callers' own: the sum of all alarms. */
  readonly tags: readonly string[];
}

export type NewBlock = Pick<Block, 'id' | 'firewall' | 'flow' | 'tracker' | 'description'>;

/** A new block, due immediately. */
export const newBlock = ({ id, firewall, flow, tracker, description }: NewBlock, now: number): Block => ({
  id,
  firewall,
  flow,
  tracker,
  description,
  state: 'pending',
  desired: 'present',
  revision: 1,
  claimedRevision: 0,
  doneRevision: 0,
  changed: false,
  alarms: 1,
  createdAt: now,
  requestedAt: now,
  updatedAt: now,
  expiresAt: null,
  provenAt: null,
  proof: null,
  proofMessage: null,
  packets: 0,
  packetsAt: null,
  dueAt: now,
  failures: 0,
  failingSince: null,
  failure: null,
  failureCode: null,
  reason: null,
  run: null,
  override: null,
  comment: null,
  tags: [],
});

/** A block that the policy refuses, so no run applies it. */
export const refuse = (block: Block, reason: string): Block => ({
  ...block,
  state: 'refused',
  desired: 'absent',
  dueAt: null,
  reason,
  proof: null,
  proofMessage: null,
});

/** The end of an id: enough for a person to type. */
export const shortId = ({ id }: Pick<Block, 'id'>): string => id.slice(-6);
