import type { Freeze } from '../ledger.js';
import type { Database } from './database.js';

/** The first who freezes is named; a second one adds nothing. */
export function freeze(database: Database, reason: string, by: string, now: number): void {
  database.run('INSERT OR IGNORE INTO freeze (one, at, by, reason) VALUES (1, ?, ?, ?)', now, by, reason);
}

export const unfreeze = (database: Database): boolean => database.run('DELETE FROM freeze') === 1;

export function findFreeze(database: Database): Freeze | undefined {
  const row = database.get('SELECT at, by, reason FROM freeze');
  return row && { at: Number(row['at']), by: String(row['by']), reason: String(row['reason']) };
}

export const isFrozen = (database: Database): boolean => database.get('SELECT 1 FROM freeze') !== undefined;
