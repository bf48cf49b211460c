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

export async function findObserving(db: Statements): Promise<string[]> {
  return (await db.all('SELECT firewall FROM observe ORDER BY firewall')).map(({ firewall }) => String(firewall));
}
