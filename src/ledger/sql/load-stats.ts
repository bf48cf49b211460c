import type { TopEntry, LoadStats } from '../../core/stats.js';
import { countRows, type Statements } from './database.js';
import { toCount } from './history.js';

const hourMs = 3_600_000;
const maxListed = 10;

/** The latest blocks that are counted by their ends: a larger storm shows the same ones. */
const maxCounted = 10_000;

export async function loadStats(db: Statements): Promise<LoadStats> {
  const now = await db.now();
  const count = (where: string, ...values: number[]): Promise<number> =>
    countRows(db, `SELECT count(*) AS many FROM block WHERE ${where}`, ...values);
  return {
    held: await count("state = 'held'"),
    enforced: await count("wanted = 'present' AND state IN ('pending', 'active', 'failed')"),
    lastMinute: await count("created_at > ? AND state <> 'refused'", now - 60_000),
    sources: await findTop(db, 'source', now - hourMs),
    destinations: await findTop(db, 'destination', now - hourMs),
  };
}

async function findTop(db: Statements, end: 'source' | 'destination', since: number): Promise<TopEntry[]> {
  const rows = await db.all(
    `SELECT address, count(*) AS blocks, sum(alarms) AS alarms FROM (
       SELECT ${end} AS address, alarms FROM block WHERE created_at > ? AND state <> 'refused'
       ORDER BY created_at DESC LIMIT ${maxCounted}
     ) AS latest GROUP BY address ORDER BY blocks DESC, alarms DESC, address LIMIT ${maxListed}`,
    since,
  );
  return rows.map(toCount);
}
