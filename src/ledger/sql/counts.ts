import type { OutcomeKind } from '../../core/outcome.js';
import { proofSeconds, type Counts } from '../../core/stats.js';
import { countRows, findRow, type Statements } from './database.js';

export async function findCounts(db: Statements, since: number): Promise<Counts> {
  return {
    since,
    alarms: await countRows(db, 'SELECT count(*) AS many FROM alarm WHERE received_at >= ?', since),
    outcomes: await findOutcomeCounts(db, since),
    failures: await findFailureCounts(db, since),
    proofs: await findProofCounts(db, since),
    runs: await findRunCounts(db, since),
    drift: await findDriftCounts(db, since),
  };
}

async function findOutcomeCounts(db: Statements, since: number): Promise<Counts['outcomes']> {
  const rows = await db.all(
    'SELECT firewall, kind, count(*) AS many FROM outcome WHERE at >= ? GROUP BY firewall, kind ORDER BY firewall, kind',
    since,
  );
  return rows.map((row) => ({
    firewall: String(row['firewall']),
    kind: row['kind'] as OutcomeKind, // as recordOutcome wrote it
    many: Number(row['many']),
  }));
}

async function findFailureCounts(db: Statements, since: number): Promise<Counts['failures']> {
  const rows = await db.all(
    `SELECT firewall, code, count(*) AS many FROM outcome WHERE kind = 'failed' AND at >= ?
     GROUP BY firewall, code ORDER BY firewall, code`,
    since,
  );
  return rows.map((row) => ({
    firewall: String(row['firewall']),
    code: String(row['code']),
    many: Number(row['many']),
  }));
}

async function findProofCounts(db: Statements, since: number): Promise<Counts['proofs']> {
  const sums = proofSeconds.map((seconds, index) => `sum(ms <= ${seconds * 1000}) AS s${index}`);
  const row = await findRow(
    db,
    `SELECT count(*) AS many, sum(ms) AS total, ${sums.join(', ')} FROM outcome WHERE kind = 'proven' AND at >= ?`,
    since,
  );
  return {
    within: proofSeconds.map((seconds, index) => ({ seconds, many: Number(row?.[`s${index}`] ?? 0) })),
    many: Number(row?.['many'] ?? 0),
    sumMs: Number(row?.['total'] ?? 0),
  };
}

/** Runs that have ended. */
async function findRunCounts(db: Statements, since: number): Promise<Counts['runs']> {
  const rows = await db.all(
    `SELECT firewall, count(*) AS many, sum(ms) AS total FROM run WHERE started_at >= ? AND ms IS NOT NULL
     GROUP BY firewall ORDER BY firewall`,
    since,
  );
  return rows.map((row) => ({
    firewall: String(row['firewall']),
    many: Number(row['many']),
    sumMs: Number(row['total']),
  }));
}

async function findDriftCounts(db: Statements, since: number): Promise<Counts['drift']> {
  const rows = await db.all(
    'SELECT firewall, sum(differences) AS many FROM drift WHERE at >= ? GROUP BY firewall ORDER BY firewall',
    since,
  );
  return rows.map((row) => ({ firewall: String(row['firewall']), differences: Number(row['many']) }));
}
