import type { NewSession } from '../ledger.js';
import { hasExited, processIdentity } from '../process-identity.js';
import type { Transaction } from './database.js';
import { recordCaller } from './seen.js';

/**
 * Counts current sessions, in total and per caller; a dry run also counts towards the limit for dry runs. A session
 * whose process has ended is deleted, at the latest when its time is up.
 */
export async function beginSession(tx: Transaction, session: NewSession): Promise<boolean> {
  const { id, maxSessions, maxPerCaller, forMs, caller, isDryRun } = session;
  const now = await tx.now();
  if (caller !== undefined) await recordCaller(tx, caller);
  await tx.run('DELETE FROM session WHERE expires_at <= ?', now);
  const all = await tx.all('SELECT id, process, caller, dry_run FROM session');
  const ended = all.filter((row) => hasExited(row['process'] as string | null));
  for (const row of ended) await endSession(tx, String(row['id']));
  const served = all.filter((row) => !ended.includes(row));
  const ofCaller = served.filter((row) => caller !== undefined && row['caller'] === caller);
  if (served.length >= maxSessions || ofCaller.length >= maxPerCaller) return false;
  if (isDryRun && served.some((row) => row['dry_run'] === 1)) return false;
  await tx.run(
    'INSERT INTO session (id, process, expires_at, caller, dry_run) VALUES (?, ?, ?, ?, ?)',
    ...[id, processIdentity(), now + forMs, caller ?? null, Number(isDryRun)],
  );
  return true;
}

export async function endSession(tx: Transaction, id: string): Promise<void> {
  await tx.run('DELETE FROM session WHERE id = ?', id);
}
