import type { Block } from '../../core/block.js';
import { findOutcome, outcomeKinds, type OutcomeKind } from '../../core/outcome.js';
import type { History, TopEntry } from '../../core/stats.js';
import type { Database } from './database.js';

const hourMs = 3_600_000;
const most = 10;

/** Keeps what has come of a block by a move, if anything; inside the caller's transaction. */
export function noteOutcome(database: Database, before: Block | undefined, after: Block, now: number): void {
  const kind = findOutcome(before, after);
  if (kind === undefined) return;
  database.run(
    'INSERT INTO outcome (at, kind, firewall, block, ms, code, reason) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ...[now, kind, after.firewall, after.id, Math.max(0, now - after.askedAt)],
    ...[kind === 'failed' ? (after.code ?? after.trouble) : null, after.reason],
  );
}

export function noteDrift(database: Database, firewall: string, differences: number, now: number): void {
  database.run('INSERT INTO drift (at, firewall, differences) VALUES (?, ?, ?)', now, firewall, differences);
}

export function findHistory(database: Database, since: number, now: number): History {
  const outcomes = countKinds(
    database.all('SELECT kind, count(*) AS many FROM outcome WHERE at >= ? GROUP BY kind', since),
  );
  return {
    since,
    until: now,
    alarms: count(database, 'SELECT count(*) AS many FROM alarm WHERE received_at >= ?', since),
    outcomes,
    hours: findHours(database, since),
    proof: outcomes.proven === 0 ? null : findProofTimes(database, since, outcomes.proven),
    causes: database
      .all(
        `SELECT code, count(DISTINCT block) AS blocks FROM outcome WHERE kind = 'failed' AND at >= ?
         GROUP BY code ORDER BY blocks DESC, code`,
        since,
      )
      .map((row) => ({ code: String(row['code']), blocks: Number(row['blocks']) })),
    sources: findTop(database, 'source', since),
    destinations: findTop(database, 'destination', since),
    drift: findDrift(database, since),
    now: {
      active: count(database, "SELECT count(*) AS many FROM block WHERE state = 'active'"),
      underWay: count(database, "SELECT count(*) AS many FROM block WHERE state IN ('pending', 'releasing')"),
      failing: count(
        database,
        "SELECT count(*) AS many FROM block WHERE state IN ('pending', 'releasing') AND trouble IS NOT NULL",
      ),
      givenUp: count(database, "SELECT count(*) AS many FROM block WHERE state = 'failed'"),
      held: count(database, "SELECT count(*) AS many FROM block WHERE state = 'held'"),
    },
  };
}

type Row = Record<string, string | number | null>;

const count = (database: Database, sql: string, ...values: number[]): number =>
  Number(database.get(sql, ...values)?.['many'] ?? 0);

function countKinds(rows: readonly Row[]): Record<OutcomeKind, number> {
  const many = (kind: OutcomeKind): number => Number(rows.find((row) => row['kind'] === kind)?.['many'] ?? 0);
  return Object.fromEntries(outcomeKinds.map((kind) => [kind, many(kind)])) as Record<OutcomeKind, number>; // all kinds
}

function findHours(database: Database, since: number): History['hours'] {
  const rows = database.all(
    `SELECT at / ${hourMs} AS hour, kind, count(*) AS many FROM outcome WHERE at >= ? GROUP BY hour, kind ORDER BY hour`,
    since,
  );
  const hours = [...new Set(rows.map((row) => Number(row['hour'])))];
  return hours.map((hour) => ({
    at: hour * hourMs,
    ...countKinds(rows.filter((row) => row['hour'] === hour)),
  }));
}

/** The nearest rank: the time within which that share of all was proven. */
function findProofTimes(database: Database, since: number, proven: number): NonNullable<History['proof']> {
  const at = (share: number): number =>
    Number(
      database.get(
        "SELECT ms FROM outcome WHERE kind = 'proven' AND at >= ? ORDER BY ms LIMIT 1 OFFSET ?",
        ...[since, Math.max(1, Math.ceil(proven * share)) - 1],
      )?.['ms'],
    );
  return { medianMs: at(0.5), p95Ms: at(0.95), slowestMs: at(1) };
}

function findTop(database: Database, end: 'source' | 'destination', since: number): TopEntry[] {
  return database
    .all(
      `SELECT ${end} AS address, count(DISTINCT block.id) AS blocks, count(DISTINCT alarm.id) AS alarms
       FROM alarm JOIN alarm_block ON alarm_block.alarm = alarm.id JOIN block ON block.id = alarm_block.block
       WHERE received_at >= ? AND state <> 'refused'
       GROUP BY ${end} ORDER BY alarms DESC, blocks DESC, address LIMIT ${most}`,
      since,
    )
    .map((row) => ({
      address: String(row['address']),
      blocks: Number(row['blocks']),
      alarms: Number(row['alarms']),
    }));
}

/** SQLite gives the other columns of the row that has the maximum (sqlite.org, "Bare columns in an aggregate query"). */
const findDrift = (database: Database, since: number): History['drift'] =>
  database
    .all(
      `SELECT firewall, count(*) AS times, max(at) AS last_at, differences FROM drift WHERE at >= ?
       GROUP BY firewall ORDER BY firewall`,
      since,
    )
    .map((row) => ({
      firewall: String(row['firewall']),
      times: Number(row['times']),
      lastAt: Number(row['last_at']),
      differences: Number(row['differences']),
    }));
