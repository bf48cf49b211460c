import { ulid } from 'ulid';
import { newBlock, refuse, type Block } from '../../core/block.js';
import { escalate } from '../../core/escalation.js';
import type { Flow } from '../../core/flow.js';
import { alarmAgain, approve } from '../../core/lifecycle.js';
import { computeTracker } from '../../core/tracker.js';
import type { KeepAlarm, KeepBlock, KeepOptions } from '../ledger.js';
import type { Database } from './database.js';
import { noteOutcome } from './history.js';
import { insertBlock, toBlock, updateBlock } from './rows.js';

export interface KeptBlock {
  block: Block;
  /** This very event had asked for it already, a moment ago. */
  isRepeated: boolean;
}

/** Keeps one alarm with its blocks, inside the caller's transaction. */
export function keepAlarm(
  database: Database,
  alarm: KeepAlarm,
  { options, counts, now }: { options: KeepOptions; counts: Counts; now: number },
): KeptBlock[] {
  const event = alarm.context['event-id'] ?? null;
  database.run(
    'INSERT INTO alarm (id, received_at, origin, message, context) VALUES (?, ?, ?, ?, ?)',
    ...[alarm.id, now, alarm.origin, event, JSON.stringify(alarm.context)],
  );
  const request: Request = { event, risk: Number(alarm.context['risk'] ?? 0) || 0, options, counts, now };
  const kept = alarm.blocks.map((wanted) => keepBlock(database, wanted, request));
  for (const { block } of kept)
    database.run('INSERT OR IGNORE INTO alarm_block (alarm, block) VALUES (?, ?)', alarm.id, block.id);
  // An alarm counts once, on however many firewalls; what is held does not, nor does a list that a person looked at.
  if (options.limits?.perMinute !== Infinity && kept.some(({ isNew }) => isNew)) {
    database.run('UPDATE alarm SET counted = 1 WHERE id = ?', alarm.id);
    counts.add(perMinuteKey);
  }
  return kept;
}

/** What of an alarm each of its blocks is kept by. */
interface Request {
  event: string | null;
  risk: number;
  options: KeepOptions;
  counts: Counts;
  now: number;
}

/** What the limits are compared with: counted once in a transaction, and then by what it adds itself. */
export class Counts {
  private readonly known = new Map<string, number>();

  /** @param count asks the ledger, where nobody has yet */
  get(key: string, count: () => number): number {
    const known = this.known.get(key) ?? count();
    this.known.set(key, known);
    return known;
  }

  /** One more than was counted; what was not counted is still to be, and finds it. */
  add(...keys: string[]): void {
    for (const key of keys) {
      const known = this.known.get(key);
      if (known !== undefined) this.known.set(key, known + 1);
    }
  }
}

const perMinuteKey = 'alarms';
const keysOf = ({ firewall, flow }: Pick<KeepBlock, 'firewall' | 'flow'>): [string, string] => [
  `on ${firewall}`,
  `on ${firewall} towards ${flow.destination}`,
];

function keepBlock(database: Database, wanted: KeepBlock, request: Request): KeptBlock & { isNew: boolean } {
  const { event, options, now } = request;
  const as = (block: Block, more = {}) => ({ block, isRepeated: false, isNew: false, ...more });
  if (wanted.refusal !== undefined) return as(keepRefusal(database, wanted, wanted.refusal, now));
  const live = findLive(database, wanted);
  if (live !== undefined && event !== null && isSameEvent(database, live, event, now - (options.sameEventMs ?? 0)))
    return as(live, { isRepeated: true });
  const durationMs = lengthen(database, wanted, live, now);
  const expiresAt = durationMs === null ? null : now + durationMs;
  if (live !== undefined) {
    const counted = alarmAgain(live, { now, expiresAt, recheckMs: options.recheckMs });
    const goesOn = live.state === 'held' && findLimit(database, wanted, request, true) === undefined;
    const again = { ...(goesOn ? approve(counted, now) : counted), override: wanted.override ?? live.override };
    updateBlock(database, again);
    if (goesOn || live.wanted === 'absent') request.counts.add(...keysOf(wanted));
    return as(again, { isNew: goesOn });
  }
  const reason = findLimit(database, wanted, request, hasAlarmedBefore(database, wanted.flow.source));
  const block = makeBlock(wanted, findTracker(database, wanted.firewall, wanted.flow), now);
  const kept: Block =
    reason === undefined ? { ...block, expiresAt } : { ...block, expiresAt, state: 'held', dueAt: null, reason };
  insertBlock(database, kept);
  noteOutcome(database, undefined, kept, now);
  if (reason === undefined) request.counts.add(...keysOf(wanted));
  return as(kept, { isNew: reason === undefined });
}

const makeBlock = ({ firewall, flow, description, override }: KeepBlock, tracker: number, now: number): Block => ({
  ...newBlock({ id: ulid(now), firewall, flow, tracker, description }, now),
  override: override ?? null,
});

const sameFlow = `source = ? AND firewall = ? AND destination = ? AND port = ? AND protocol = ? AND interface = ?
  AND type = ? AND ipprotocol = ?`;

const flowValues = ({ firewall, flow }: Pick<KeepBlock, 'firewall' | 'flow'>): string[] => [
  flow.source,
  firewall,
  flow.destination,
  flow.port,
  flow.protocol,
  flow.interface,
  flow.type,
  flow.ipprotocol,
];

function findLive(database: Database, wanted: KeepBlock): Block | undefined {
  const row = database.get(
    `SELECT * FROM block WHERE ${sameFlow} AND state NOT IN ('released', 'refused')`,
    ...flowValues(wanted),
  );
  return row && toBlock(row);
}

/** Has this very event asked for the block since then? Only while the block is in force: else the event tries again. */
const isSameEvent = (database: Database, { id, state }: Block, event: string, since: number): boolean =>
  state === 'active' &&
  database.get(
    `SELECT 1 FROM alarm JOIN alarm_block ON alarm_block.alarm = alarm.id
     WHERE alarm.message = ? AND alarm_block.block = ? AND alarm.received_at >= ? LIMIT 1`,
    ...[event, id, since],
  ) !== undefined;

/** Whoever forges sources has a new one each time; an attacker who means it comes again. */
const hasAlarmedBefore = (database: Database, source: string): boolean =>
  database.get("SELECT 1 FROM block WHERE source = ? AND state <> 'refused' LIMIT 1", source) !== undefined;

/** Refusals of one flow are one row that counts: an attacker can have as many as he likes. */
function keepRefusal(database: Database, wanted: KeepBlock, refusal: string, now: number): Block {
  const row = database.get(
    `SELECT * FROM block WHERE ${sameFlow} AND state = 'refused' AND reason = ? ORDER BY seq DESC LIMIT 1`,
    ...[...flowValues(wanted), refusal],
  );
  if (row !== undefined) {
    const known = toBlock(row);
    const again = { ...known, alarms: known.alarms + 1, updatedAt: now };
    updateBlock(database, again);
    noteOutcome(database, known, again, now);
    return again;
  }
  const refused = refuse(makeBlock(wanted, computeTracker(wanted.flow), now), refusal);
  insertBlock(database, refused);
  noteOutcome(database, undefined, refused, now);
  return refused;
}

/** How long the block is to last: longer for a source that was blocked and released before. */
function lengthen(database: Database, wanted: KeepBlock, live: Block | undefined, now: number): number | null {
  const { durationMs, escalation, flow, firewall } = wanted;
  if (escalation === undefined || durationMs === null) return durationMs;
  const since = escalation.memoryMs === null ? 0 : now - escalation.memoryMs;
  const row = database.get(
    `SELECT count(*) AS offences FROM block
     WHERE source = ? AND firewall = ? AND created_at >= ? AND state = 'released' AND proven_at IS NOT NULL AND id <> ?`,
    ...[flow.source, firewall, since, live?.id ?? ''],
  );
  return escalate(durationMs, Number(row?.['offences'] ?? 0), escalation);
}

/**
 * The sentence that holds a block, when more come than anybody has looked at. A share of each limit is left for alarms
 * of high risk and for sources that alarmed before.
 */
function findLimit(
  database: Database,
  wanted: KeepBlock,
  { risk, options: { limits }, counts, now }: Request,
  hasAlarmed: boolean,
): string | undefined {
  if (limits === undefined) return undefined;
  const { firewall, flow } = wanted;
  const { perMinute, active, perDestination = Infinity, reserved = 0, highRisk = Infinity } = limits;
  const isFirst = hasAlarmed || risk >= highRisk;
  const open = (limit: number): number => (isFirst ? limit : limit - Math.floor((limit * reserved) / 100));
  const isOver = (limit: number, key: string, sql: string, ...values: (string | number)[]): boolean =>
    limit !== Infinity && counts.get(key, () => Number(database.get(sql, ...values)?.['many'])) >= open(limit);
  const alarms = 'SELECT count(*) AS many FROM alarm WHERE received_at > ? AND counted = 1';
  if (isOver(perMinute, perMinuteKey, alarms, now - 60_000))
    return `held: more than ${open(perMinute)} alarms of new blocks in a minute (policy.limits.per_minute)`;
  const standing = `SELECT count(*) AS many FROM block
    WHERE wanted = 'present' AND state IN ('pending', 'active', 'failed') AND firewall = ?`;
  const [inAll, towards] = keysOf(wanted);
  if (isOver(active, inAll, standing, firewall))
    return `held: ${open(active)} blocks stand on ${firewall} already (policy.limits.active)`;
  if (isOver(perDestination, towards, `${standing} AND destination = ?`, firewall, flow.destination))
    return `held: ${open(perDestination)} blocks towards ${flow.destination} stand already (policy.limits.per_destination)`;
  return undefined;
}

export const hasHeld = (database: Database): boolean =>
  database.get("SELECT 1 FROM block WHERE state = 'held' LIMIT 1") !== undefined;

/** The flow's number, or its next one while that belongs to another flow's block. */
function findTracker(database: Database, firewall: string, flow: Flow): number {
  for (let attempt = 0; ; attempt += 1) {
    const tracker = computeTracker(flow, attempt);
    const taken = database.get(
      "SELECT 1 FROM block WHERE firewall = ? AND tracker = ? AND state NOT IN ('released', 'refused')",
      ...[firewall, tracker],
    );
    if (taken === undefined) return tracker;
  }
}
