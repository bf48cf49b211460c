import { countRows, type Transaction } from './database.js';

interface NewWaiter {
  id: string;
  most: number;
  forMs: number;
}

/** Counts those that wait now; one that died is forgotten when its time is up. */
export async function beginWaiting(tx: Transaction, { id, most, forMs }: NewWaiter): Promise<boolean> {
  const now = await tx.now();
  await tx.run('DELETE FROM waiter WHERE expires_at <= ?', now);
  if ((await countRows(tx, 'SELECT count(*) AS many FROM waiter')) >= most) return false;
  await tx.run('INSERT INTO waiter (id, expires_at) VALUES (?, ?)', id, now + forMs);
  return true;
}

export async function endWaiting(tx: Transaction, id: string): Promise<void> {
  await tx.run('DELETE FROM waiter WHERE id = ?', id);
}
