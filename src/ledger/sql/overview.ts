import type { FirewallOverview, Overview } from '../../core/stats.js';
import { countRows, findRow, type Database, type Statements, type Transaction } from './database.js';
import { countStates } from './history.js';
import { findOldestBlock } from './records.js';

/** Records that a periodic task has run. */
export async function recordChore(tx: Transaction, name: 'expire'): Promise<void> {
  await tx.run(
    'INSERT INTO chore (name, done_at) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET done_at = excluded.done_at',
    ...[name, await tx.now()],
  );
}

/** When the ledger was first used: that of the oldest block, or the first call of this function. */
export async function findBeginning(database: Database): Promise<number> {
  const find = (db: Statements): Promise<number | null> =>
    findTime(db, "SELECT done_at AS at FROM chore WHERE name = 'begin'");
  const record = async (tx: Transaction): Promise<number> => {
    const at = (await findOldestBlock(tx)) ?? (await tx.now());
    await tx.run("INSERT INTO chore (name, done_at) VALUES ('begin', ?) ON CONFLICT DO NOTHING", at);
    return (await find(tx)) ?? at;
  };
  return (await find(database)) ?? database.write(record);
}

export async function findOverview(db: Statements, firewalls: readonly string[]): Promise<Overview> {
  const waiting = 'SELECT count(*) AS many FROM outbox WHERE due_at IS NOT NULL';
  const found: FirewallOverview[] = [];
  for (const name of firewalls) found.push(await findFirewall(db, name));
  return {
    firewalls: found,
    lastAlarmAt: await findTime(db, 'SELECT max(received_at) AS at FROM alarm'),
    lastExpireAt: await findTime(db, "SELECT done_at AS at FROM chore WHERE name = 'expire'"),
    messages: { waiting: await countRows(db, waiting), failing: await countRows(db, `${waiting} AND tries > 0`) },
  };
}

async function findFirewall(db: Statements, name: string): Promise<FirewallOverview> {
  const run = await findRow(db, 'SELECT * FROM run WHERE firewall = ? ORDER BY started_at DESC LIMIT 1', name);
  return {
    name,
    blocks: await countStates(db, name),
    packets: await countRows(
      db,
      "SELECT coalesce(sum(packets), 0) AS many FROM block WHERE firewall = ? AND state = 'active' AND packets > 0",
      name,
    ),
    lastRun: run === undefined ? null : toRun(run),
    lastProofAt: await findTime(
      db,
      "SELECT max(proven_at) AS at FROM block WHERE firewall = ? AND state = 'active'",
      name,
    ),
  };
}

const toRun = (row: Readonly<Record<string, unknown>>): NonNullable<FirewallOverview['lastRun']> => ({
  id: String(row['id']),
  startedAt: Number(row['started_at']),
  ms: row['ms'] as number | null,
  batch: Number(row['batch']),
});

async function findTime(db: Statements, sql: string, ...values: string[]): Promise<number | null> {
  const at = (await findRow(db, sql, ...values))?.['at'];
  return typeof at === 'number' ? at : null;
}
