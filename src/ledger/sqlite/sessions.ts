import type { Database } from './database.js';
import { identify, isGone } from './holder.js';

/** Counts those that are being served now. One whose process has ended is forgotten, and at the latest when its time is up. */
export function beginSession(database: Database, id: string, most: number, now: number, forMs: number): boolean {
  database.run('DELETE FROM session WHERE expires_at <= ?', now);
  const sessions = database.all('SELECT id, process FROM session');
  const gone = sessions.filter((row) => isGone(row['process'] as string | null));
  for (const row of gone) database.run('DELETE FROM session WHERE id = ?', String(row['id']));
  if (sessions.length - gone.length >= most) return false;
  database.run('INSERT INTO session (id, process, expires_at) VALUES (?, ?, ?)', id, identify(), now + forMs);
  return true;
}

export function endSession(database: Database, id: string): void {
  database.run('DELETE FROM session WHERE id = ?', id);
}
