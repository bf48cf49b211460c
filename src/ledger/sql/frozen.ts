import type { Freeze } from '../ledger.js';
import { findRow, hasRow, type Statements, type Transaction } from './database.js';

/** Records the first freeze; a second one changes nothing. */
export async function freeze(tx: Transaction, reason: string, by: string): Promise<void> {
  await tx.run(
    'INSERT INTO freeze (one, at, by, reason) VALUES (1, ?, ?, ?) ON CONFLICT DO NOTHING',
    ...[await tx.now(), by, reason],
  );
}

export const unfreeze = async (tx: Transaction): Promise<boolean> => (await tx.run('DELETE FROM freeze')) === 1;

export async function findFreeze(db: Statements): Promise<Freeze | undefined> {
  const row = await findRow(db, 'SELECT at, by, reason FROM freeze');
  return row && { at: Number(row['at']), by: String(row['by']), reason: String(row['reason']) };
}

export const isFrozen = (db: Statements): Promise<boolean> => hasRow(db, 'SELECT 1 FROM freeze');
