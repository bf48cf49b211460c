import { leaseMs, LeaseLost, type Lease } from '../ledger.js';
import type { Database } from './database.js';

/** Takes the firewall's lease if nobody alive holds it; inside the caller's transaction. */
export function acquireLease(database: Database, firewall: string, owner: string, now: number): Lease | undefined {
  const row = database.get('SELECT owner, fence, expires_at, run FROM lease WHERE firewall = ?', firewall);
  if (row !== undefined && row['owner'] !== null && Number(row['expires_at']) > now) return undefined;
  const fence = Number(row?.['fence'] ?? 0) + 1;
  database.run(
    `INSERT INTO lease (firewall, owner, fence, expires_at, run) VALUES (?, ?, ?, ?, NULL)
     ON CONFLICT (firewall) DO UPDATE SET owner = excluded.owner, fence = excluded.fence, expires_at = excluded.expires_at,
       run = NULL`,
    ...[firewall, owner, fence, now + leaseMs],
  );
  return { firewall, owner, fence, orphan: row === undefined ? null : (row['run'] as string | null) };
}

/** A look without a transaction, for those who ask often. */
export const isLeaseHeld = (database: Database, firewall: string, now: number): boolean =>
  database.get(
    'SELECT 1 FROM lease WHERE firewall = ? AND owner IS NOT NULL AND expires_at > ?',
    ...[firewall, now],
  ) !== undefined;

export function findLease(database: Database, firewall: string, owner: string): Lease | undefined {
  const row = database.get('SELECT fence, run FROM lease WHERE firewall = ? AND owner = ?', firewall, owner);
  if (row === undefined) return undefined;
  return { firewall, owner, fence: Number(row['fence']), orphan: row['run'] as string | null };
}

export function renewLease(database: Database, { firewall, owner, fence }: Lease, now: number): boolean {
  const changes = database.run(
    'UPDATE lease SET expires_at = ? WHERE firewall = ? AND owner = ? AND fence = ?',
    ...[now + leaseMs, firewall, owner, fence],
  );
  return changes === 1;
}

/** Gives the lease back, in the same transaction in which it is seen that nothing is due: no request falls between. */
export function releaseLease(database: Database, lease: Lease, force: boolean, now: number): boolean {
  if (!force && hasDueWork(database, lease.firewall, now)) return false;
  database.run(
    'UPDATE lease SET owner = NULL, expires_at = ?, run = NULL WHERE firewall = ? AND owner = ? AND fence = ?',
    ...[now, lease.firewall, lease.owner, lease.fence],
  );
  return true;
}

export const hasDueWork = (database: Database, firewall: string, now: number): boolean =>
  database.get('SELECT 1 FROM block WHERE firewall = ? AND due_at <= ? LIMIT 1', firewall, now) !== undefined;

/** @throws LeaseLost where another process holds the lease by now, or took it and gave it back */
export function checkFence(database: Database, { firewall, owner, fence }: Lease, run: string | null): void {
  const changes = database.run(
    'UPDATE lease SET run = ? WHERE firewall = ? AND owner = ? AND fence = ?',
    ...[run, firewall, owner, fence],
  );
  if (changes !== 1) throw new LeaseLost(firewall);
}
