import { newBlock, refuse, type Block } from '../../core/block.js';
import { escalate } from '../../core/escalation.js';
import type { Flow } from '../../core/flow.js';
import { repeatAlarm, approve } from '../../core/lifecycle.js';
import { addTags } from '../../core/tags.js';
import { computeTracker } from '../../core/tracker.js';
import type { BlockRequest, Lease, NewAlarm, RecordedAlarms, RecordOptions } from '../ledger.js';
import { newId } from '../new-id.js';
import { processIdentity } from '../process-identity.js';
import { Counts, exceededLimit, keysOf, perMinuteKey } from './block-limits.js';
import { findBlocks, insertBlock, toBlock, updateBlock } from './block-rows.js';
import { countRows, findRow, hasRow, type Statements, type Transaction } from './database.js';
import { recordOutcome } from './history.js';
import { acquireLease, hasDueWork } from './leases.js';

/** Records alarms, each with its blocks, and tries to acquire the leases of their firewalls. */
export async function recordAlarms(
  tx: Transaction,
  alarms: readonly NewAlarm[],
  options: RecordOptions,
): Promise<RecordedAlarms> {
  const hadHeld = await hasHeld(tx);
  const counts = new Counts();
  const recorded: RecordedBlock[][] = [];
  const wasKnown: boolean[] = [];
  for (const alarm of alarms) {
    const found = await insertAlarm(tx, alarm);
    wasKnown.push(found !== undefined);
    recorded.push(found ?? (await recordBlocks(tx, alarm, { options, counts })));
  }
  const blocks = recorded.map((each) => each.map(({ block }) => block));
  return {
    blocks,
    wasKnown,
    leases: await acquireFreeLeases(tx, blocks.flat(), options),
    repeated: recorded.flat().flatMap(({ block, isRepeated }) => (isRepeated ? block.id : [])),
    extended: recorded.flat().flatMap(({ block, isExtended }) => (isExtended === true ? block.id : [])),
    isFirstHeld: !hadHeld && blocks.flat().some(({ state }) => state === 'held'),
  };
}

async function acquireFreeLeases(
  tx: Transaction,
  blocks: readonly Block[],
  { owner, isHandedOver = false }: RecordOptions,
): Promise<Lease[]> {
  if (owner === undefined) return [];
  const leases: Lease[] = [];
  for (const firewall of new Set(blocks.map((block) => block.firewall))) {
    if (!(await hasDueWork(tx, firewall))) continue;
    const lease = await acquireLease(tx, firewall, { owner, process: isHandedOver ? null : processIdentity() });
    if (lease !== undefined) leases.push(lease);
  }
  return leases;
}

interface RecordedBlock {
  block: Block;
  /** This same event requested it a moment ago. */
  isRepeated: boolean;
  isNew: boolean;
  /** It ends later than before. */
  isExtended?: boolean;
}

/** What is common to all blocks of an alarm. */
interface Recording {
  event: string | null;
  risk: number;
  options: RecordOptions;
  counts: Counts;
  now: number;
}

/** @returns the blocks that another process requested for the same alarm; undefined if this is the first to record it */
async function insertAlarm(tx: Transaction, { id, origin, context }: NewAlarm): Promise<RecordedBlock[] | undefined> {
  const inserted = await tx.run(
    `INSERT INTO alarm (id, received_at, origin, message, context) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (id) DO NOTHING`,
    ...[id, await tx.now(), origin, eventOf(context), JSON.stringify(context)],
  );
  if (inserted > 0) return undefined;
  return (await findBlocks(tx, { alarm: id })).map((block) => ({ block, isRepeated: false, isNew: false }));
}

const eventOf = (context: NewAlarm['context']): string | null => context['event-id'] ?? null;

async function recordBlocks(
  tx: Transaction,
  alarm: NewAlarm,
  { options, counts }: Pick<Recording, 'options' | 'counts'>,
): Promise<RecordedBlock[]> {
  const now = await tx.now();
  const event = eventOf(alarm.context);
  const recording: Recording = { event, risk: Number(alarm.context['risk'] ?? 0) || 0, options, counts, now };
  const recorded: RecordedBlock[] = [];
  for (const request of alarm.blocks) recorded.push(await recordBlock(tx, request, recording));
  for (const { block } of recorded) {
    await tx.run('INSERT INTO alarm_block (alarm, block) VALUES (?, ?) ON CONFLICT DO NOTHING', alarm.id, block.id);
  }
  // An alarm counts once, on any number of firewalls; held blocks and a list that a person reviewed do not count.
  if (options.limits?.perMinute !== Infinity && recorded.some(({ isNew }) => isNew)) {
    await tx.run('UPDATE alarm SET counted = 1 WHERE id = ?', alarm.id);
    counts.add(perMinuteKey);
  }
  return recorded;
}

async function recordBlock(tx: Transaction, request: BlockRequest, recording: Recording): Promise<RecordedBlock> {
  const { event, options, now } = recording;
  const live = await liveBlock(tx, request);
  if (request.refusal !== undefined) {
    const block =
      live === undefined || live.provenAt === null || live.state === 'held'
        ? await recordRefusal(tx, request, request.refusal)
        : await recordProtected(tx, live, recording);
    return { block, isRepeated: false, isNew: false };
  }
  if (request.grace !== undefined && live?.desired !== 'present') {
    const block = live ?? (await recordRefusal(tx, request, request.grace));
    return { block, isRepeated: false, isNew: false };
  }
  if (live !== undefined && event !== null) {
    const since = now - (options.sameEventMs ?? 0);
    if (await isSameEvent(tx, live, { event, since })) return { block: live, isRepeated: true, isNew: false };
  }
  const durationMs = await escalatedDuration(tx, request, live);
  const lasting = { ...request, expiresAt: durationMs === null ? null : now + durationMs };
  return live === undefined
    ? recordNewBlock(tx, lasting, recording)
    : recordRepeat(tx, { ...lasting, live }, recording);
}

type LastingRequest = BlockRequest & { expiresAt: number | null };

/** Another alarm for a flow that has a block. A held block is released automatically if there is now room. */
async function recordRepeat(
  tx: Transaction,
  request: LastingRequest & { live: Block },
  recording: Recording,
): Promise<RecordedBlock> {
  const { live, expiresAt } = request;
  const { options, counts, now } = recording;
  const counted = repeatAlarm(live, {
    now,
    expiresAt,
    recheckMs: options.recheckMs,
    isObserved: request.isObserved ?? false,
  });
  const hasRoom =
    live.state === 'held' && (await exceededLimit(tx, request, { ...recording, hasAlarmed: true })) === undefined;
  const block = {
    ...(hasRoom ? approve(counted, now) : counted),
    override: request.override ?? live.override,
    tags: addTags(live.tags, request.tags ?? []),
  };
  await updateBlock(tx, block);
  if (hasRoom || live.desired === 'absent') counts.add(...keysOf(request));
  const isExtended = live.desired === 'present' && !hasRoom && block.expiresAt !== live.expiresAt;
  return { block, isRepeated: false, isNew: hasRoom, isExtended };
}

async function recordNewBlock(tx: Transaction, request: LastingRequest, recording: Recording): Promise<RecordedBlock> {
  const { counts, now } = recording;
  const hasAlarmed = await hasAlarmedBefore(tx, request.flow.source);
  const reason = await exceededLimit(tx, request, { ...recording, hasAlarmed });
  const tracker = await freeTracker(tx, request);
  const pending = { ...makeBlock(request, tracker, now), expiresAt: request.expiresAt };
  const block: Block = reason === undefined ? pending : { ...pending, state: 'held', dueAt: null, reason };
  await insertBlock(tx, block);
  await recordOutcome(tx, undefined, block);
  if (reason === undefined) counts.add(...keysOf(request));
  return { block, isRepeated: false, isNew: reason === undefined };
}

const makeBlock = (request: BlockRequest, tracker: number, now: number): Block => ({
  ...newBlock({ ...pickWhat(request), id: newId(now), tracker }, now),
  override: request.override ?? null,
  tags: request.tags ?? [],
});

const pickWhat = ({ firewall, flow, description }: BlockRequest) => ({ firewall, flow, description });

const sameFlow = `source = ? AND firewall = ? AND destination = ? AND port = ? AND protocol = ? AND interface = ?
  AND type = ? AND ipprotocol = ?`;

const flowValues = ({ firewall, flow }: BlockRequest): string[] => [
  ...[flow.source, firewall, flow.destination, flow.port],
  ...[flow.protocol, flow.interface, flow.type, flow.ipprotocol],
];

async function liveBlock(db: Statements, request: BlockRequest): Promise<Block | undefined> {
  const row = await findRow(
    db,
    `SELECT * FROM block WHERE ${sameFlow} AND state NOT IN ('released', 'refused')`,
    ...flowValues(request),
  );
  return row && toBlock(row);
}

/** Has this same event requested the block since then? False unless the block is in force: then the event retries. */
async function isSameEvent(
  db: Statements,
  { id, state }: Block,
  { event, since }: { event: string; since: number },
): Promise<boolean> {
  if (state !== 'active') return false;
  return hasRow(
    db,
    `SELECT 1 FROM alarm JOIN alarm_block ON alarm_block.alarm = alarm.id
     WHERE alarm.message = ? AND alarm_block.block = ? AND alarm.received_at >= ? LIMIT 1`,
    ...[event, id, since],
  );
}

/** Forged sources are new each time; a real attacker repeats. */
const hasAlarmedBefore = (db: Statements, source: string): Promise<boolean> =>
  hasRow(db, "SELECT 1 FROM block WHERE source = ? AND state <> 'refused' LIMIT 1", source);

const hasHeld = (db: Statements): Promise<boolean> => hasRow(db, "SELECT 1 FROM block WHERE state = 'held' LIMIT 1");

/**
 * An alarm that the policy refuses, for a rule that is on the firewall: the next run finds the refusal and removes the
 * rule, and only then is the flow not blocked.
 */
async function recordProtected(tx: Transaction, live: Block, { options, now }: Recording): Promise<Block> {
  const isKept = options.keepsProtected === true || live.override !== null;
  const block = isKept
    ? { ...live, alarms: live.alarms + 1, updatedAt: now }
    : repeatAlarm(live, { now, expiresAt: live.expiresAt, recheckMs: 0 });
  await updateBlock(tx, block);
  return block;
}

/** Refusals of one flow share one row with a count: an attacker can cause any number of them. */
async function recordRefusal(tx: Transaction, request: BlockRequest, refusal: string): Promise<Block> {
  const now = await tx.now();
  const row = await findRow(
    tx,
    `SELECT * FROM block WHERE ${sameFlow} AND state = 'refused' AND reason = ? ORDER BY seq DESC LIMIT 1`,
    ...[...flowValues(request), refusal],
  );
  if (row !== undefined) {
    const known = toBlock(row);
    const repeated = { ...known, alarms: known.alarms + 1, updatedAt: now };
    await updateBlock(tx, repeated);
    await recordOutcome(tx, known, repeated);
    return repeated;
  }
  const refused = refuse(makeBlock(request, computeTracker(request.flow), now), refusal);
  await insertBlock(tx, refused);
  await recordOutcome(tx, undefined, refused);
  return refused;
}

/** The duration of the block: longer for a source that was blocked and released before. */
async function escalatedDuration(
  db: Statements,
  { durationMs, escalation, flow, firewall }: BlockRequest,
  live: Block | undefined,
): Promise<number | null> {
  if (escalation === undefined || durationMs === null) return durationMs;
  const since = escalation.memoryMs === null ? 0 : (await db.now()) - escalation.memoryMs;
  const offences = await countRows(
    db,
    `SELECT count(*) AS many FROM block
     WHERE source = ? AND firewall = ? AND created_at >= ? AND state = 'released' AND proven_at IS NOT NULL AND id <> ?`,
    ...[flow.source, firewall, since, live?.id ?? ''],
  );
  return escalate(durationMs, offences, escalation);
}

/** The flow's tracker, or its next one while another flow's block has that. */
async function freeTracker(db: Statements, { firewall, flow }: { firewall: string; flow: Flow }): Promise<number> {
  for (let attempt = 0; ; attempt += 1) {
    const tracker = computeTracker(flow, attempt);
    const isTaken = await hasRow(
      db,
      "SELECT 1 FROM block WHERE firewall = ? AND tracker = ? AND state NOT IN ('released', 'refused')",
      ...[firewall, tracker],
    );
    if (!isTaken) return tracker;
  }
}
