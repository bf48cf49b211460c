import type { AddressChange, Seen } from '../../core/policy.js';
import type { Database } from './database.js';

const dayMs = 24 * 3_600_000;
/** What was not seen again for as long is forgotten. */
const addressesLapseMs = 7 * dayMs;
const callersLapseMs = 30 * dayMs;
const mostAddresses = 256;
const mostCallers = 1000;

/** Remembers which addresses a firewall has, instead of those that were known of it; other ones than before are news. */
export function noteAddresses(database: Database, firewall: string, addresses: readonly string[], now: number): void {
  const told = [...new Set(addresses)].slice(0, mostAddresses);
  const known = findAddresses(database, now)[firewall] ?? [];
  const added = told.filter((address) => !known.includes(address));
  const removed = known.filter((address) => !told.includes(address));
  database.run('DELETE FROM firewall_address WHERE firewall = ?', firewall);
  for (const address of told)
    database.run('INSERT INTO firewall_address (firewall, address, seen_at) VALUES (?, ?, ?)', firewall, address, now);
  if (known.length === 0 || added.length + removed.length === 0) return;
  database.run(
    'INSERT OR REPLACE INTO address_change (firewall, at, added, removed, told) VALUES (?, ?, ?, ?, 0)',
    ...[firewall, now, JSON.stringify(added), JSON.stringify(removed)],
  );
}

/** Remembers who called; of many the oldest are forgotten. */
export function noteCaller(database: Database, address: string, now: number): void {
  database.run(
    'INSERT INTO caller (address, seen_at) VALUES (?, ?) ON CONFLICT (address) DO UPDATE SET seen_at = excluded.seen_at',
    ...[address, now],
  );
  database.run(
    `DELETE FROM caller WHERE seen_at < ?
       OR address NOT IN (SELECT address FROM caller ORDER BY seen_at DESC LIMIT ${mostCallers})`,
    now - callersLapseMs,
  );
}

export const findSeen = (database: Database, now: number): Seen => ({
  addresses: findAddresses(database, now),
  callers: database
    .all('SELECT address FROM caller WHERE seen_at >= ? ORDER BY address', now - callersLapseMs)
    .map(({ address }) => String(address)),
});

function findAddresses(database: Database, now: number): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  const rows = database.all(
    'SELECT firewall, address FROM firewall_address WHERE seen_at >= ? ORDER BY firewall, address',
    now - addressesLapseMs,
  );
  for (const { firewall, address } of rows) (found[String(firewall)] ??= []).push(String(address));
  return found;
}

/** @returns false where somebody asked within that time */
export function beginAsking(database: Database, firewall: string, everyMs: number, now: number): boolean {
  const row = database.get('SELECT asked_at FROM asking WHERE firewall = ?', firewall);
  if (row !== undefined && now - Number(row['asked_at']) < everyMs) return false;
  database.run('INSERT OR REPLACE INTO asking (firewall, asked_at) VALUES (?, ?)', firewall, now);
  return true;
}

export const findAddressChanges = (database: Database, now: number): AddressChange[] =>
  database.all('SELECT * FROM address_change WHERE at >= ? ORDER BY firewall', now - addressesLapseMs).map((row) => ({
    firewall: String(row['firewall']),
    at: Number(row['at']),
    added: JSON.parse(String(row['added'])) as string[], // as noteAddresses wrote it
    removed: JSON.parse(String(row['removed'])) as string[],
    isTold: row['told'] === 1,
  }));

export function noteTold(database: Database, firewall: string): void {
  database.run('UPDATE address_change SET told = 1 WHERE firewall = ?', firewall);
}
