import type { Block } from '../../core/block.js';
import { findOutcome, outcomeKinds, type OutcomeKind } from '../../core/outcome.js';
import { bypassLevels } from '../../core/proof.js';
import type { TopEntry, History } from '../../core/stats.js';
import { countRows, findRow, type Row, type Statements, type Transaction } from './database.js';

const hourMs = 3_600_000;
const maxListed = 10;

/** Records the outcome of a transition, if it has one. */
export async function recordOutcome(tx: Transaction, before: Block | undefined, after: Block): Promise<void> {
  const kind = findOutcome(before, after);
  if (kind === undefined) return;
  const now = await tx.now();
  await tx.run(
    'INSERT INTO outcome (at, kind, firewall, block, ms, code, reason) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ...[now, kind, after.firewall, after.id, Math.max(0, now - after.requestedAt)],
    ...explainOutcome(kind, after),
  );
}

/** The code and the text of what is wrong; nothing for an outcome that is as requested. */
function explainOutcome(
  kind: OutcomeKind,
  { failure, failureCode, reason, proof, proofMessage }: Block,
): (string | null)[] {
  if (kind === 'failed') return [failureCode ?? failure, reason];
  const isDoubtful = kind === 'bypassed' || (kind === 'proven' && proof === 'listed');
  return isDoubtful ? [proof, proofMessage] : [null, reason];
}

export async function recordDrift(tx: Transaction, firewall: string, differences: number): Promise<void> {
  await tx.run(
    'INSERT INTO drift (at, firewall, differences) VALUES (?, ?, ?)',
    ...[await tx.now(), firewall, differences],
  );
}

export async function findHistory(db: Statements, since: number): Promise<History> {
  const outcomes = countKinds(
    await db.all('SELECT kind, count(*) AS many FROM outcome WHERE at >= ? GROUP BY kind', since),
  );
  return {
    since,
    until: await db.now(),
    alarms: await countRows(db, 'SELECT count(*) AS many FROM alarm WHERE received_at >= ?', since),
    alarmHours: await findAlarmHours(db, since),
    outcomes,
    hours: await findHours(db, since),
    proof: outcomes.proven === 0 ? null : await findProofTimes(db, since, outcomes.proven),
    causes: await findCauses(db, since),
    sources: await findTop(db, 'source', since),
    destinations: await findTop(db, 'destination', since),
    tags: await findTop(db, 'tag', since),
    drift: await findDrift(db, since),
    now: await countStates(db),
  };
}

/** @param firewall undefined counts those of all */
export async function countStates(db: Statements, firewall?: string): Promise<History['now']> {
  const [filter, values] = firewall === undefined ? ['', []] : [' AND firewall = ?', [firewall]];
  const count = (where: string): Promise<number> =>
    countRows(db, `SELECT count(*) AS many FROM block WHERE ${where}${filter}`, ...values);
  return {
    active: await count("state = 'active'"),
    bypassed: await count(`state = 'active' AND proof IN (${bypassLevels.map((level) => `'${level}'`).join(', ')})`),
    underWay: await count("state IN ('pending', 'releasing')"),
    failing: await count("state IN ('pending', 'releasing') AND trouble IS NOT NULL"),
    givenUp: await count("state = 'failed'"),
    held: await count("state = 'held'"),
  };
}

async function findCauses(db: Statements, since: number): Promise<History['causes']> {
  const rows = await db.all(
    `SELECT code, count(DISTINCT block) AS blocks FROM outcome WHERE kind = 'failed' AND at >= ?
     GROUP BY code ORDER BY blocks DESC, code`,
    since,
  );
  return rows.map((row) => ({ code: String(row['code']), blocks: Number(row['blocks']) }));
}

function countKinds(rows: readonly Row[]): Record<OutcomeKind, number> {
  const many = (kind: OutcomeKind): number => Number(rows.find((row) => row['kind'] === kind)?.['many'] ?? 0);
  return Object.fromEntries(outcomeKinds.map((kind) => [kind, many(kind)])) as Record<OutcomeKind, number>; // all kinds
}

async function findAlarmHours(db: Statements, since: number): Promise<History['alarmHours']> {
  const rows = await db.all(
    `SELECT received_at / ${hourMs} AS hour, count(*) AS alarms FROM alarm WHERE received_at >= ? GROUP BY hour ORDER BY hour`,
    since,
  );
  return rows.map((row) => ({ at: Number(row['hour']) * hourMs, alarms: Number(row['alarms']) }));
}

async function findHours(db: Statements, since: number): Promise<History['hours']> {
  const rows = await db.all(
    `SELECT at / ${hourMs} AS hour, kind, count(*) AS many FROM outcome WHERE at >= ? GROUP BY hour, kind ORDER BY hour`,
    since,
  );
  const hours = [...new Set(rows.map((row) => Number(row['hour'])))];
  return hours.map((hour) => ({
    at: hour * hourMs,
    ...countKinds(rows.filter((row) => row['hour'] === hour)),
  }));
}

/** Nearest-rank percentiles of the time to proof. */
async function findProofTimes(db: Statements, since: number, proven: number): Promise<NonNullable<History['proof']>> {
  const at = async (share: number): Promise<number> => {
    const row = await findRow(
      db,
      "SELECT ms FROM outcome WHERE kind = 'proven' AND at >= ? ORDER BY ms LIMIT 1 OFFSET ?",
      ...[since, Math.max(1, Math.ceil(proven * share)) - 1],
    );
    return Number(row?.['ms']);
  };
  return { medianMs: await at(0.5), p95Ms: await at(0.95), slowestMs: await at(1) };
}

async function findTop(db: Statements, what: 'source' | 'destination' | 'tag', since: number): Promise<TopEntry[]> {
  const [column, tags] = what === 'tag' ? ['tag.value', ', json_each(block.tags) AS tag'] : [what, ''];
  const rows = await db.all(
    `SELECT ${column} AS address, count(DISTINCT block.id) AS blocks, count(DISTINCT alarm.id) AS alarms
     FROM alarm JOIN alarm_block ON alarm_block.alarm = alarm.id JOIN block ON block.id = alarm_block.block${tags}
     WHERE received_at >= ? AND state <> 'refused'
     GROUP BY ${column} ORDER BY alarms DESC, blocks DESC, address LIMIT ${maxListed}`,
    since,
  );
  return rows.map(toCount);
}

export const toCount = (row: Row): TopEntry => ({
  address: String(row['address']),
  blocks: Number(row['blocks']),
  alarms: Number(row['alarms']),
});

/** SQLite takes the other columns from the row that has the maximum (sqlite.org, "Bare columns in an aggregate query"). */
async function findDrift(db: Statements, since: number): Promise<History['drift']> {
  const rows = await db.all(
    `SELECT firewall, count(*) AS times, max(at) AS last_at, differences FROM drift WHERE at >= ?
     GROUP BY firewall ORDER BY firewall`,
    since,
  );
  return rows.map((row) => ({
    firewall: String(row['firewall']),
    times: Number(row['times']),
    lastAt: Number(row['last_at']),
    differences: Number(row['differences']),
  }));
}
