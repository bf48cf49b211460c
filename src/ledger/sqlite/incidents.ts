import type { Incident, IncidentChanges } from '../../core/incident.js';
import type { Database } from './database.js';

export const findIncidents = (database: Database, firewall: string): Incident[] =>
  database.all('SELECT * FROM incident WHERE firewall = ? ORDER BY began_at, cause', firewall).map((row) => ({
    cause: String(row['cause']),
    beganAt: Number(row['began_at']),
    told: Number(row['told']),
    toldAt: Number(row['told_at']),
  }));

export function noteIncidents(
  database: Database,
  firewall: string,
  { due, resolved }: IncidentChanges,
  now: number,
): void {
  for (const { cause, beganAt } of due) {
    database.run(
      `INSERT INTO incident (firewall, cause, began_at, told, told_at) VALUES (?, ?, ?, 1, ?)
       ON CONFLICT (firewall, cause) DO UPDATE SET told = told + 1, told_at = excluded.told_at`,
      ...[firewall, cause, beganAt, now],
    );
  }
  for (const { cause } of resolved)
    database.run('DELETE FROM incident WHERE firewall = ? AND cause = ?', firewall, cause);
}
