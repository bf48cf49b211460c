import type { AlarmRecord, RunRecord } from '../ledger.js';
import { findRow, type Row, type Statements } from './database.js';

export async function findLastRequested(db: Statements, origin: string): Promise<string[]> {
  const rows = await db.all(
    `SELECT block FROM alarm_block
     WHERE alarm = (SELECT id FROM alarm WHERE origin = ? ORDER BY rowid DESC LIMIT 1) ORDER BY block`,
    origin,
  );
  return rows.map(({ block }) => String(block));
}

export async function findAlarms(db: Statements, block: string): Promise<AlarmRecord[]> {
  const rows = await db.all(
    `SELECT alarm.* FROM alarm JOIN alarm_block ON alarm_block.alarm = alarm.id
     WHERE alarm_block.block = ? ORDER BY received_at, id`,
    block,
  );
  return rows.map(toAlarm);
}

export async function findLatestAlarms(db: Statements, limit: number, before?: string): Promise<AlarmRecord[]> {
  const filter = before === undefined ? '' : 'WHERE rowid < (SELECT rowid FROM alarm WHERE id = ?)';
  const values = before === undefined ? [] : [before];
  const rows = await db.all(`SELECT * FROM alarm ${filter} ORDER BY rowid DESC LIMIT ?`, ...values, limit);
  return rows.map(toAlarm);
}

const toAlarm = (row: Row): AlarmRecord => ({
  id: String(row['id']),
  receivedAt: Number(row['received_at']),
  origin: String(row['origin']),
  context: JSON.parse(String(row['context'])) as Record<string, string>, // as recordAlarm wrote it
});

export async function findRun(db: Statements, id: string): Promise<RunRecord | undefined> {
  const row = await findRow(db, 'SELECT * FROM run WHERE id = ?', id);
  if (row === undefined) return undefined;
  return {
    id,
    firewall: String(row['firewall']),
    startedAt: Number(row['started_at']),
    ms: row['ms'] as number | null,
    batch: Number(row['batch']),
  };
}

/** Uses the order of the rows, because a run's id contains the wall clock, which may be set back. */
export async function findRunsToKeep(db: Statements, many: number): Promise<string[]> {
  const rows = await db.all(
    `SELECT id FROM (SELECT id FROM run ORDER BY rowid DESC LIMIT ?)
     UNION SELECT run FROM lease WHERE run IS NOT NULL`,
    many,
  );
  return rows.map(({ id }) => String(id));
}

export async function findWork(db: Statements, firewall: string): Promise<{ youngestAt: number | null }> {
  const row = await findRow(
    db,
    'SELECT max(due_at) AS at FROM block WHERE firewall = ? AND due_at <= ?',
    ...[firewall, await db.now()],
  );
  return { youngestAt: (row?.['at'] ?? null) as number | null };
}

export async function findOldestBlock(db: Statements): Promise<number | undefined> {
  const at = (await findRow(db, 'SELECT min(created_at) AS at FROM block'))?.['at'];
  return typeof at === 'number' ? at : undefined;
}
