import type { Allowance } from '../../core/allowance.js';
import type { NewAllowance } from '../ledger.js';
import type { Statements, Transaction } from './database.js';

/** Adds an entry, or replaces the one of the same address. */
export async function allow(tx: Transaction, entry: NewAllowance, by: string): Promise<void> {
  const now = await tx.now();
  const { kind, address, firewall = '', durationMs, reason, resolved = [] } = entry;
  await tx.run('DELETE FROM allowance WHERE until <= ?', now);
  await tx.run(
    `INSERT INTO allowance (kind, address, firewall, until, reason, by, created_at, resolved)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (kind, address, firewall) DO UPDATE SET until = excluded.until, reason = excluded.reason,
       by = excluded.by, created_at = excluded.created_at, resolved = excluded.resolved`,
    ...[kind, address, firewall, durationMs === null ? null : now + durationMs],
    ...[reason, by, now, JSON.stringify(resolved)],
  );
}

/** Ends the allowance and the grace time of this address. @returns whether there was one */
export const disallow = async (tx: Transaction, address: string): Promise<boolean> =>
  (await tx.run('DELETE FROM allowance WHERE address = ? AND (until IS NULL OR until > ?)', address, await tx.now())) >
  0;

export async function recordResolved(tx: Transaction, address: string, resolved: readonly string[]): Promise<void> {
  await tx.run('UPDATE allowance SET resolved = ? WHERE address = ?', JSON.stringify(resolved), address);
}

export async function findAllowances(db: Statements): Promise<Allowance[]> {
  const rows = await db.all(
    'SELECT * FROM allowance WHERE until IS NULL OR until > ? ORDER BY kind, address, firewall',
    await db.now(),
  );
  return rows.map((row) => ({
    kind: row['kind'] as Allowance['kind'], // as `allow` wrote it
    address: String(row['address']),
    firewall: String(row['firewall']),
    until: row['until'] as number | null,
    reason: String(row['reason']),
    by: String(row['by']),
    createdAt: Number(row['created_at']),
    resolved: JSON.parse(String(row['resolved'])) as string[],
  }));
}
