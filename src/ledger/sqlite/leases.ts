import { leaseMs, LeaseLost, type Lease } from '../ledger.js';
import type { Database } from './database.js';
import { isFrozen } from './freeze.js';
import { isGone } from './holder.js';

/**
 * Takes the firewall's lease if nobody alive holds it; inside the caller's transaction. The run of the holder before
 * stays noted until the new holder claims its own: should that one die before it has ended it, the next is told too.
 * @param holder the process that will hold it; null where one is only about to be started
 */
export function acquireLease(
  database: Database,
  firewall: string,
  owner: string,
  holder: string | null,
  now: number,
): Lease | undefined {
  const row = database.get('SELECT owner, process, fence, expires_at, run FROM lease WHERE firewall = ?', firewall);
  if ((row !== undefined && isAlive(row, now)) || isFrozen(database)) return undefined;
  const fence = Number(row?.['fence'] ?? 0) + 1;
  database.run(
    `INSERT INTO lease (firewall, owner, process, fence, expires_at, run) VALUES (?, ?, ?, ?, ?, NULL)
     ON CONFLICT (firewall) DO UPDATE SET owner = excluded.owner, process = excluded.process, fence = excluded.fence,
       expires_at = excluded.expires_at`,
    ...[firewall, owner, holder, fence, now + leaseMs],
  );
  return { firewall, owner, fence, orphan: row === undefined ? null : (row['run'] as string | null) };
}

/** A look without a transaction, for those who ask often. */
export function isLeaseHeld(database: Database, firewall: string, now: number): boolean {
  const row = database.get('SELECT owner, process, expires_at FROM lease WHERE firewall = ?', firewall);
  return row !== undefined && isAlive(row, now);
}

/** A holder on this host that has ended is known at once; of any other only the time tells. */
const isAlive = (row: Record<string, string | number | null>, now: number): boolean =>
  row['owner'] !== null && Number(row['expires_at']) > now && !isGone(row['process'] as string | null);

/** Makes a lease that was acquired in the owner's name this process's own. */
export function takeOverLease(
  database: Database,
  firewall: string,
  owner: string,
  holder: string | null,
): Lease | undefined {
  const row = database.get('SELECT fence, run FROM lease WHERE firewall = ? AND owner = ?', firewall, owner);
  if (row === undefined) return undefined;
  database.run('UPDATE lease SET process = ? WHERE firewall = ? AND owner = ?', holder, firewall, owner);
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
    'UPDATE lease SET owner = NULL, process = NULL, expires_at = ?, run = NULL WHERE firewall = ? AND owner = ? AND fence = ?',
    ...[now, lease.firewall, lease.owner, lease.fence],
  );
  return true;
}

/** Is anything to be done? Not while all changes are frozen. */
export const hasDueWork = (database: Database, firewall: string, now: number): boolean =>
  !isFrozen(database) &&
  database.get('SELECT 1 FROM block WHERE firewall = ? AND due_at <= ? LIMIT 1', firewall, now) !== undefined;

/** @throws LeaseLost where another process holds the lease by now, or took it and gave it back */
export function checkFence(database: Database, { firewall, owner, fence }: Lease, run: string | null): void {
  const changes = database.run(
    'UPDATE lease SET run = ? WHERE firewall = ? AND owner = ? AND fence = ?',
    ...[run, firewall, owner, fence],
  );
  if (changes !== 1) throw new LeaseLost(firewall);
}
