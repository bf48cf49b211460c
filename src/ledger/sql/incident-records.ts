import type { Incident, IncidentChanges } from '../../core/incident.js';
import type { Statements, Transaction } from './database.js';

export async function findIncidents(db: Statements, firewall: string): Promise<Incident[]> {
  const rows = await db.all('SELECT * FROM incident WHERE firewall = ? ORDER BY began_at, cause', firewall);
  return rows.map((row) => ({
    cause: String(row['cause']),
    beganAt: Number(row['began_at']),
    told: Number(row['told']),
    toldAt: Number(row['told_at']),
  }));
}

export async function recordIncidents(
  tx: Transaction,
  firewall: string,
  { due, resolved }: IncidentChanges,
): Promise<void> {
  for (const { cause, beganAt } of due) {
    await tx.run(
      `INSERT INTO incident (firewall, cause, began_at, told, told_at) VALUES (?, ?, ?, 1, ?)
       ON CONFLICT (firewall, cause) DO UPDATE SET told = incident.told + 1, told_at = excluded.told_at`,
      ...[firewall, cause, beganAt, await tx.now()],
    );
  }
  for (const { cause } of resolved) {
    await tx.run('DELETE FROM incident WHERE firewall = ? AND cause = ?', firewall, cause);
  }
}
