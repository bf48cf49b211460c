import { ulid } from 'ulid';
import { newBlock, refuse, type Block } from '../../core/block.js';
import { escalate } from '../../core/escalation.js';
import type { Flow } from '../../core/flow.js';
import { alarmAgain } from '../../core/lifecycle.js';
import { computeTracker } from '../../core/tracker.js';
import type { KeepAlarm, KeepBlock, KeepOptions } from '../ledger.js';
import type { Database } from './database.js';
import { noteOutcome } from './history.js';
import { insertBlock, toBlock, updateBlock } from './rows.js';

/** Keeps one alarm with its blocks, inside the caller's transaction. */
export function keepAlarm(database: Database, alarm: KeepAlarm, options: KeepOptions, now: number): Block[] {
  const message = alarm.context['event-id'] ?? alarm.context['backlog-id'] ?? null;
  database.run(
    'INSERT INTO alarm (id, received_at, origin, message, context) VALUES (?, ?, ?, ?, ?)',
    ...[alarm.id, now, alarm.origin, message, JSON.stringify(alarm.context)],
  );
  return alarm.blocks.map((wanted) => {
    const block = keepBlock(database, wanted, message, options, now);
    database.run('INSERT OR IGNORE INTO alarm_block (alarm, block) VALUES (?, ?)', alarm.id, block.id);
    return block;
  });
}

function keepBlock(
  database: Database,
  wanted: KeepBlock,
  message: string | null,
  options: KeepOptions,
  now: number,
): Block {
  if (wanted.refusal !== undefined) return keepRefusal(database, wanted, wanted.refusal, now);
  if (message !== null) {
    const known = findSameMessage(database, wanted, message);
    if (known !== undefined) return known;
  }
  const live = findLive(database, wanted);
  const durationMs = lengthen(database, wanted, live, now);
  const expiresAt = durationMs === null ? null : now + durationMs;
  if (live !== undefined) {
    const counted = alarmAgain(live, { now, expiresAt, recheckMs: options.recheckMs });
    const again = { ...counted, override: wanted.override ?? live.override };
    updateBlock(database, again);
    return again;
  }
  const reason = findLimit(database, wanted, options.limits, now);
  const block = makeBlock(wanted, findTracker(database, wanted.firewall, wanted.flow), now);
  const kept: Block =
    reason === undefined ? { ...block, expiresAt } : { ...block, expiresAt, state: 'held', dueAt: null, reason };
  insertBlock(database, kept);
  noteOutcome(database, undefined, kept, now);
  return kept;
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

/** A block that this very message has made already, unless it never came into force: then the message tries again. */
function findSameMessage(database: Database, wanted: KeepBlock, message: string): Block | undefined {
  const row = database.get(
    `SELECT block.* FROM alarm JOIN alarm_block ON alarm_block.alarm = alarm.id JOIN block ON block.id = alarm_block.block
     WHERE alarm.message = ? AND ${sameFlow} AND state IN ('active', 'releasing', 'released') AND proven_at IS NOT NULL
     ORDER BY block.seq DESC LIMIT 1`,
    ...[message, ...flowValues(wanted)],
  );
  return row && toBlock(row);
}

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

/** The sentence that holds a new block, when more come than anybody has looked at. */
function findLimit(
  database: Database,
  { firewall, flow }: KeepBlock,
  limits: KeepOptions['limits'],
  now: number,
): string | undefined {
  if (limits === undefined) return undefined;
  const made = database.get(
    'SELECT count(*) AS made FROM block WHERE created_at > ? AND state <> ?',
    now - 60_000,
    'refused',
  );
  if (Number(made?.['made']) >= limits.perMinute) {
    return `held: more than ${limits.perMinute} new blocks in a minute (policy.limits.per_minute)`;
  }
  const active = database.get(
    "SELECT count(*) AS active FROM block WHERE wanted = 'present' AND state IN ('pending', 'active', 'failed')",
  );
  if (Number(active?.['active']) >= limits.active) {
    return `held: ${limits.active} blocks are in force already (policy.limits.active)`;
  }
  const { perDestination = Infinity } = limits;
  const there = database.get(
    `SELECT count(*) AS there FROM block WHERE destination = ? AND firewall = ? AND wanted = 'present'
       AND state IN ('pending', 'active', 'failed')`,
    ...[flow.destination, firewall],
  );
  if (Number(there?.['there']) >= perDestination) {
    return `held: ${perDestination} blocks towards ${flow.destination} are in force already (policy.limits.per_destination)`;
  }
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
