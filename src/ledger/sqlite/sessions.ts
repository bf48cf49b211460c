import type { NewSession } from '../ledger.js';
import type { Database } from './database.js';
import { identify, isGone } from './holder.js';
import { noteCaller } from './seen.js';

/**
 * Counts those that are being served now, in all and of one caller; a dry run counts as one of its own kind too. One
 * whose process has ended is forgotten, and at the latest when its time is up.
 */
export function beginSession(database: Database, session: NewSession, now: number): boolean {
  const { id, most, mostOfCaller, forMs, caller, isDryRun } = session;
  if (caller !== undefined) noteCaller(database, caller, now);
  database.run('DELETE FROM session WHERE expires_at <= ?', now);
  const all = database.all('SELECT id, process, caller, dry_run FROM session');
  const gone = all.filter((row) => isGone(row['process'] as string | null));
  for (const row of gone) database.run('DELETE FROM session WHERE id = ?', String(row['id']));
  const served = all.filter((row) => !gone.includes(row));
  const ofCaller = served.filter((row) => caller !== undefined && row['caller'] === caller);
  if (served.length >= most || ofCaller.length >= mostOfCaller) return false;
  if (isDryRun && served.some((row) => row['dry_run'] === 1)) return false;
  database.run(
    'INSERT INTO session (id, process, expires_at, caller, dry_run) VALUES (?, ?, ?, ?, ?)',
    ...[id, identify(), now + forMs, caller ?? null, Number(isDryRun)],
  );
  return true;
}

export function endSession(database: Database, id: string): void {
  database.run('DELETE FROM session WHERE id = ?', id);
}
