import type { AlarmRecord, RunRecord } from '../ledger.js';
import type { Database } from './database.js';

export const hasAlarm = (database: Database, id: string): boolean =>
  database.get('SELECT 1 FROM alarm WHERE id = ?', id) !== undefined;

export function findAlarms(database: Database, block: string): AlarmRecord[] {
  return database
    .all(
      `SELECT alarm.* FROM alarm JOIN alarm_block ON alarm_block.alarm = alarm.id
       WHERE alarm_block.block = ? ORDER BY received_at, id`,
      block,
    )
    .map((row) => ({
      id: String(row['id']),
      receivedAt: Number(row['received_at']),
      origin: String(row['origin']),
      context: JSON.parse(String(row['context'])) as Record<string, string>, // as keepAlarm wrote it
    }));
}

export function findRun(database: Database, id: string): RunRecord | undefined {
  const row = database.get('SELECT * FROM run WHERE id = ?', id);
  if (row === undefined) return undefined;
  return {
    id,
    firewall: String(row['firewall']),
    startedAt: Number(row['started_at']),
    ms: row['ms'] as number | null,
    batch: Number(row['batch']),
  };
}

/** SQLite numbers the rows as they come; a run's id is made of a wall clock, which may be set back. */
export const findRunsToKeep = (database: Database, many: number): string[] =>
  database
    .all(
      `SELECT id FROM (SELECT id FROM run ORDER BY rowid DESC LIMIT ?)
       UNION SELECT run FROM lease WHERE run IS NOT NULL`,
      many,
    )
    .map(({ id }) => String(id));

export function findWork(
  database: Database,
  firewall: string,
  now: number,
): { youngestAt: number | null; nextAt: number | null } {
  const due = database.get('SELECT max(due_at) AS at FROM block WHERE firewall = ? AND due_at <= ?', firewall, now);
  const next = database.get('SELECT min(due_at) AS at FROM block WHERE firewall = ? AND due_at > ?', firewall, now);
  return { youngestAt: (due?.['at'] ?? null) as number | null, nextAt: (next?.['at'] ?? null) as number | null };
}
