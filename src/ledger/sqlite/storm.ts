import type { Storm, TopEntry } from '../../core/stats.js';
import type { Database } from './database.js';

const hourMs = 3_600_000;
const most = 10;

export function findStorm(database: Database, now: number): Storm {
  const count = (sql: string, ...values: number[]): number => Number(database.get(sql, ...values)?.['many'] ?? 0);
  return {
    held: count("SELECT count(*) AS many FROM block WHERE state = 'held'"),
    standing: count(
      "SELECT count(*) AS many FROM block WHERE wanted = 'present' AND state IN ('pending', 'active', 'failed')",
    ),
    lastMinute: count("SELECT count(*) AS many FROM block WHERE created_at > ? AND state <> 'refused'", now - 60_000),
    sources: findTop(database, 'source', now - hourMs),
    destinations: findTop(database, 'destination', now - hourMs),
  };
}

function findTop(database: Database, end: 'source' | 'destination', since: number): TopEntry[] {
  return database
    .all(
      `SELECT ${end} AS address, count(*) AS blocks, sum(alarms) AS alarms FROM block
       WHERE created_at > ? AND state <> 'refused' GROUP BY ${end} ORDER BY blocks DESC, alarms DESC, address LIMIT ${most}`,
      since,
    )
    .map((row) => ({
      address: String(row['address']),
      blocks: Number(row['blocks']),
      alarms: Number(row['alarms']),
    }));
}
