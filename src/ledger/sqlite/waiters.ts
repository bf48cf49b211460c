import type { Database } from './database.js';

/** Counts those that wait now; one that died is forgotten when its time is up. */
export function beginWaiting(database: Database, id: string, most: number, now: number, forMs: number): boolean {
  database.run('DELETE FROM waiter WHERE expires_at <= ?', now);
  const row = database.get('SELECT count(*) AS waiting FROM waiter');
  if (Number(row?.['waiting']) >= most) return false;
  database.run('INSERT INTO waiter (id, expires_at) VALUES (?, ?)', id, now + forMs);
  return true;
}

export function endWaiting(database: Database, id: string): void {
  database.run('DELETE FROM waiter WHERE id = ?', id);
}
