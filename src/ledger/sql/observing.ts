import type { Observing } from '../ledger.js';
import type { Statements, Transaction } from './database.js';

/** Records that alarms are dry runs on these firewalls from now on; one that observes already is left as it is. */
export async function beginObserving(tx: Transaction, firewalls: readonly string[], by: string): Promise<void> {
  for (const firewall of firewalls) {
    await tx.run(
      'INSERT INTO observe (firewall, at, by) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      ...[firewall, await tx.now(), by],
    );
  }
}

export async function endObserving(tx: Transaction, firewalls: readonly string[]): Promise<void> {
  for (const firewall of firewalls) await tx.run('DELETE FROM observe WHERE firewall = ?', firewall);
}

export async function findObserving(db: Statements): Promise<Observing[]> {
  const rows = await db.all('SELECT firewall, at, by FROM observe ORDER BY firewall');
  return rows.map(({ firewall, at, by }) => ({ firewall: String(firewall), at: Number(at), by: String(by) }));
}
