import { countRows, type Transaction } from './database.js';

interface NewWaiter {
  id: string;
  max: number;
  forMs: number;
}

/** Counts the processes that wait now; one that died is deleted when its time is up. */
export async function beginWaiting(tx: Transaction, { id, max, forMs }: NewWaiter): Promise<boolean> {
  const now = await tx.now();
  await tx.run('DELETE FROM waiter WHERE expires_at <= ?', now);
  if ((await countRows(tx, 'SELECT count(*) AS many FROM waiter')) >= max) return false;
  await tx.run('INSERT INTO waiter (id, expires_at) VALUES (?, ?)', id, now + forMs);
  return true;
}

export async function endWaiting(tx: Transaction, id: string): Promise<void> {
  await tx.run('DELETE FROM waiter WHERE id = ?', id);
}
