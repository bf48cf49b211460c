import { hasRoom } from '../../core/quota.js';
import type { NewSession } from '../ledger.js';
import { hasExited, processIdentity } from '../process-identity.js';
import type { Transaction } from './database.js';
import { recordCaller } from './seen.js';

/**
 * Begins a session if there is room for one more. One whose process has ended no longer counts, at the latest when its
 * time is up.
 */
export async function beginSession(tx: Transaction, session: NewSession): Promise<boolean> {
  const { id, forMs, caller, isDryRun } = session;
  const now = await tx.now();
  if (caller !== undefined) await recordCaller(tx, caller);
  await tx.run('DELETE FROM session WHERE expires_at <= ?', now);
  const all = await tx.all('SELECT id, process, caller, dry_run FROM session');
  const ended = all.filter((row) => hasExited(row['process'] as string | null));
  for (const row of ended) await endSession(tx, String(row['id']));
  const served = all
    .filter((row) => !ended.includes(row))
    .map((row) => ({ caller: (row['caller'] as string | null) ?? undefined, isDryRun: row['dry_run'] === 1 }));
  if (!hasRoom(served, session, session)) return false;
  await tx.run(
    'INSERT INTO session (id, process, expires_at, caller, dry_run) VALUES (?, ?, ?, ?, ?)',
    ...[id, processIdentity(), now + forMs, caller ?? null, Number(isDryRun)],
  );
  return true;
}

export async function endSession(tx: Transaction, id: string): Promise<void> {
  await tx.run('DELETE FROM session WHERE id = ?', id);
}
