import type { Database } from './database.js';

/** Remembers which addresses a firewall has, instead of those that were known of it before. */
export function noteAddresses(database: Database, firewall: string, addresses: readonly string[]): void {
  const known = findAddresses(database)[firewall] ?? [];
  if (known.length === addresses.length && addresses.every((address) => known.includes(address))) return;
  database.run('DELETE FROM firewall_address WHERE firewall = ?', firewall);
  for (const address of addresses)
    database.run('INSERT OR IGNORE INTO firewall_address (firewall, address) VALUES (?, ?)', firewall, address);
}

/** By firewall, the addresses that its last run has seen. */
export function findAddresses(database: Database): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const { firewall, address } of database.all('SELECT firewall, address FROM firewall_address'))
    (found[String(firewall)] ??= []).push(String(address));
  return found;
}
