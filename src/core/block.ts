import type { Flow } from './flow.js';

/**
 * Where a block stands in its life.
 *
 *   held --approve--> pending --proven--> active --unblock, expiry--> releasing --proven--> released
 *   held --reject--> refused   pending, releasing --tries used up--> failed --retry, alarm--> pending, releasing
 */
export const blockStates = ['held', 'pending', 'active', 'releasing', 'released', 'refused', 'failed'] as const;
export type BlockState = (typeof blockStates)[number];

/** States of blocks that ask something of a firewall, or of a person. */
export const currentStates: readonly BlockState[] = ['held', 'pending', 'active', 'releasing', 'failed'];

/** States that end a block's life: the next alarm of its flow begins a new one. */
export const isOver = ({ state }: Pick<Block, 'state'>): boolean => state === 'released' || state === 'refused';

/** Why the last run did not bring a block where it is wanted. */
export type FailureKind = 'unreachable' | 'failed' | 'stopped' | 'frozen';

/**
 * One flow on one firewall, with its lifetime. Times are milliseconds since the epoch.
 *
 * Each request raises `revision`; a run notes in `carried` which one it takes along and in `tried` which one it has
 * settled. So a request that comes while a run is under way is neither lost nor taken for done.
 */
export interface Block {
  readonly id: string;
  readonly firewall: string;
  readonly flow: Flow;
  readonly tracker: number;
  readonly description: string;
  readonly state: BlockState;
  /** What the firewall is to be brought to. */
  readonly desired: 'present' | 'absent';
  readonly revision: number;
  readonly claimedRevision: number;
  readonly doneRevision: number;
  /** Whether the last run that carried it changed the firewall. */
  readonly changed: boolean;
  /** How many alarms asked for it. */
  readonly alarms: number;
  readonly createdAt: number;
  /** Since when it is wanted as it is now: what is proven has waited from then on. */
  readonly requestedAt: number;
  readonly updatedAt: number;
  /** Null for ever. */
  readonly expiresAt: number | null;
  /** When a run last saw it on the firewall as wanted. */
  readonly provenAt: number | null;
  /** When a run is to carry it; null while nothing is to be done. */
  readonly dueAt: number | null;
  /** Runs in a row that failed, and since when. */
  readonly failures: number;
  readonly failingSince: number | null;
  readonly failure: FailureKind | null;
  readonly failureCode: string | null;
  readonly reason: string | null;
  /** The run that last carried it. */
  readonly run: string | null;
  /** Why an operator had it blocked against the policy. */
  readonly override: string | null;
}

export type NewBlock = Pick<Block, 'id' | 'firewall' | 'flow' | 'tracker' | 'description'>;

/** A block at the beginning of its life: wanted, and due at once. */
export const newBlock = (what: NewBlock, now: number): Block => ({
  ...what,
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
  dueAt: now,
  failures: 0,
  failingSince: null,
  failure: null,
  failureCode: null,
  reason: null,
  run: null,
  override: null,
});

/** A block that the policy keeps from ever being carried. */
export const refuse = (block: Block, reason: string): Block => ({
  ...block,
  state: 'refused',
  desired: 'absent',
  dueAt: null,
  reason,
});
