import type { AddressChange, FirewallFacts, Seen } from '../../core/policy.js';
import { findAllowances } from './allowances.js';
import { findObserving } from './observing.js';
import { findRow, type Statements, type Transaction } from './database.js';

const dayMs = 24 * 3_600_000;
/** Addresses that are not seen again within this time lapse. */
const addressesLapseMs = 7 * dayMs;
const callersLapseMs = 30 * dayMs;
const maxAddresses = 256;
const maxFacts = 256;
const maxCallers = 1000;

/** Replaces the known addresses of a firewall; records a difference as a change to report. */
export async function recordAddresses(tx: Transaction, firewall: string, addresses: readonly string[]): Promise<void> {
  const now = await tx.now();
  const current = [...new Set(addresses)].slice(0, maxAddresses);
  const known = (await findAddresses(tx))[firewall] ?? [];
  const added = current.filter((address) => !known.includes(address));
  const removed = known.filter((address) => !current.includes(address));
  await tx.run('DELETE FROM firewall_address WHERE firewall = ?', firewall);
  for (const address of current) {
    await tx.run(
      'INSERT INTO firewall_address (firewall, address, seen_at) VALUES (?, ?, ?)',
      ...[firewall, address, now],
    );
  }
  if (known.length === 0 || added.length + removed.length === 0) return;
  await tx.run(
    `INSERT INTO address_change (firewall, at, added, removed, told) VALUES (?, ?, ?, ?, 0)
     ON CONFLICT (firewall) DO UPDATE SET at = excluded.at, added = excluded.added, removed = excluded.removed, told = 0`,
    ...[firewall, now, JSON.stringify(added), JSON.stringify(removed)],
  );
}

/** Records a caller's address; deletes the oldest above the maximum. */
export async function recordCaller(tx: Transaction, address: string): Promise<void> {
  const now = await tx.now();
  await tx.run(
    'INSERT INTO caller (address, seen_at) VALUES (?, ?) ON CONFLICT (address) DO UPDATE SET seen_at = excluded.seen_at',
    ...[address, now],
  );
  await tx.run(
    `DELETE FROM caller WHERE seen_at < ?
       OR address NOT IN (SELECT address FROM caller ORDER BY seen_at DESC LIMIT ${maxCallers})`,
    now - callersLapseMs,
  );
}

export async function findSeen(db: Statements): Promise<Seen> {
  const callers = await db.all(
    'SELECT address FROM caller WHERE seen_at >= ? ORDER BY address',
    (await db.now()) - callersLapseMs,
  );
  return {
    addresses: await findAddresses(db),
    allowances: await findAllowances(db),
    observing: (await findObserving(db)).map(({ firewall }) => firewall),
    callers: callers.map(({ address }) => String(address)),
    // As recordFacts wrote them.
    interfaces: (await findFacts(db, 'interfaces')) as Seen['interfaces'] & object,
    networks: (await findFacts(db, 'networks')) as Seen['networks'] & object,
  };
}

/** Replaces what is known of a firewall, as far as these facts tell; each is a list without repetitions. */
export async function recordFacts(tx: Transaction, firewall: string, facts: FirewallFacts): Promise<void> {
  for (const name of ['interfaces', 'networks'] as const) {
    const items = facts[name];
    if (items === undefined) continue;
    const texts = new Set(items.slice(0, maxFacts).map((item) => JSON.stringify(item)));
    await tx.run(
      `INSERT INTO firewall_fact (firewall, name, value, seen_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (firewall, name) DO UPDATE SET value = excluded.value, seen_at = excluded.seen_at`,
      ...[firewall, name, `[${[...texts].join(',')}]`, await tx.now()],
    );
  }
}

async function findFacts(db: Statements, name: string): Promise<Record<string, unknown>> {
  const rows = await db.all(
    'SELECT firewall, value FROM firewall_fact WHERE name = ? AND seen_at >= ? ORDER BY firewall',
    ...[name, (await db.now()) - addressesLapseMs],
  );
  return Object.fromEntries(
    rows.map(({ firewall, value }) => [String(firewall), JSON.parse(String(value)) as unknown]),
  );
}

async function findAddresses(db: Statements): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  const rows = await db.all(
    'SELECT firewall, address FROM firewall_address WHERE seen_at >= ? ORDER BY firewall, address',
    (await db.now()) - addressesLapseMs,
  );
  for (const { firewall, address } of rows) (found[String(firewall)] ??= []).push(String(address));
  return found;
}

/** @returns false if the firewall was queried within that time */
export async function beginAsking(tx: Transaction, firewall: string, everyMs: number): Promise<boolean> {
  const now = await tx.now();
  const row = await findRow(tx, 'SELECT asked_at FROM asking WHERE firewall = ?', firewall);
  if (row !== undefined && now - Number(row['asked_at']) < everyMs) return false;
  await tx.run(
    `INSERT INTO asking (firewall, asked_at) VALUES (?, ?)
     ON CONFLICT (firewall) DO UPDATE SET asked_at = excluded.asked_at`,
    ...[firewall, now],
  );
  return true;
}

export async function findAddressChanges(db: Statements): Promise<AddressChange[]> {
  const since = (await db.now()) - addressesLapseMs;
  const rows = await db.all('SELECT * FROM address_change WHERE at >= ? ORDER BY firewall', since);
  return rows.map((row) => ({
    firewall: String(row['firewall']),
    at: Number(row['at']),
    added: JSON.parse(String(row['added'])) as string[], // as recordAddresses wrote it
    removed: JSON.parse(String(row['removed'])) as string[],
    isTold: row['told'] === 1,
  }));
}

export async function markAddressChangeSent(tx: Transaction, firewall: string): Promise<void> {
  await tx.run('UPDATE address_change SET told = 1 WHERE firewall = ?', firewall);
}
