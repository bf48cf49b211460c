import { leaseMs, LeaseLost, type Lease } from '../ledger.js';
import { hasExited } from '../process-identity.js';
import { findRow, hasRow, type Row, type Statements, type Transaction } from './database.js';
import { isFrozen } from './frozen.js';

export interface Holder {
  owner: string;
  /** The process that holds it; null if it has yet to start. */
  process: string | null;
}

/**
 * Acquires the firewall's lease unless a live process holds it. The previous holder's run stays recorded until the new
 * holder claims its own: if that one dies before it has ended the old run, the next holder learns of it too.
 */
export async function acquireLease(
  tx: Transaction,
  firewall: string,
  { owner, process }: Holder,
): Promise<Lease | undefined> {
  const now = await tx.now();
  const row = await findRow(
    tx,
    'SELECT owner, process, fence, expires_at, run FROM lease WHERE firewall = ?',
    firewall,
  );
  if ((row !== undefined && isAlive(row, now)) || (await isFrozen(tx))) return undefined;
  const fence = Number(row?.['fence'] ?? 0) + 1;
  await tx.run(
    `INSERT INTO lease (firewall, owner, process, fence, expires_at, run) VALUES (?, ?, ?, ?, ?, NULL)
     ON CONFLICT (firewall) DO UPDATE SET owner = excluded.owner, process = excluded.process, fence = excluded.fence,
       expires_at = excluded.expires_at`,
    ...[firewall, owner, process, fence, now + leaseMs],
  );
  return { firewall, owner, fence, orphan: row === undefined ? null : (row['run'] as string | null) };
}

/** A query without a transaction, for frequent use. */
export async function isLeaseHeld(db: Statements, firewall: string): Promise<boolean> {
  const row = await findRow(db, 'SELECT owner, process, expires_at FROM lease WHERE firewall = ?', firewall);
  return row !== undefined && isAlive(row, await db.now());
}

/** A holder on this host that has ended is recognised immediately; for any other only the time counts. */
const isAlive = (row: Row, now: number): boolean =>
  row['owner'] !== null && Number(row['expires_at']) > now && !hasExited(row['process'] as string | null);

/** Assigns a lease that was acquired in the owner's name to this process. */
export async function takeOverLease(
  tx: Transaction,
  firewall: string,
  { owner, process }: Holder,
): Promise<Lease | undefined> {
  const row = await findRow(tx, 'SELECT fence, run FROM lease WHERE firewall = ? AND owner = ?', firewall, owner);
  if (row === undefined) return undefined;
  await tx.run('UPDATE lease SET process = ? WHERE firewall = ? AND owner = ?', process, firewall, owner);
  return { firewall, owner, fence: Number(row['fence']), orphan: row['run'] as string | null };
}

export async function renewLease(tx: Transaction, { firewall, owner, fence }: Lease): Promise<boolean> {
  const changes = await tx.run(
    'UPDATE lease SET expires_at = ? WHERE firewall = ? AND owner = ? AND fence = ?',
    ...[(await tx.now()) + leaseMs, firewall, owner, fence],
  );
  return changes === 1;
}

/** Releases the lease in the transaction that finds nothing due, so that no request is missed in between. */
export async function releaseLease(
  tx: Transaction,
  { firewall, owner, fence }: Lease,
  force: boolean,
): Promise<boolean> {
  if (!force && (await hasDueWork(tx, firewall))) return false;
  await tx.run(
    'UPDATE lease SET owner = NULL, process = NULL, expires_at = ?, run = NULL WHERE firewall = ? AND owner = ? AND fence = ?',
    ...[await tx.now(), firewall, owner, fence],
  );
  return true;
}

/** Is any work due? Not while all changes are frozen. */
export const hasDueWork = async (db: Statements, firewall: string): Promise<boolean> =>
  !(await isFrozen(db)) &&
  hasRow(db, 'SELECT 1 FROM block WHERE firewall = ? AND due_at <= ? LIMIT 1', firewall, await db.now());

/** @throws LeaseLost if another process holds the lease, or has held it since */
export async function checkFence(
  tx: Transaction,
  { firewall, owner, fence }: Lease,
  run: string | null,
): Promise<void> {
  const changes = await tx.run(
    'UPDATE lease SET run = ? WHERE firewall = ? AND owner = ? AND fence = ?',
    ...[run, firewall, owner, fence],
  );
  if (changes !== 1) throw new LeaseLost(firewall);
}
