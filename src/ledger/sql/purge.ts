import type { Transaction } from './database.js';

/** Messages of the last days always remain: their ids prevent sending them twice. */
const keepMessagesMs = 7 * 24 * 3_600_000;

/** The number of rows that one statement deletes, in a few milliseconds. */
const slice = 500;

/** Deletes old records of blocks that are over. */
export async function purge(tx: Transaction, keepMs: number): Promise<void> {
  const now = await tx.now();
  const before = now - keepMs;
  const linked = 'SELECT 1 FROM alarm_block WHERE alarm_block.alarm = alarm.id';
  // An alarm loses its blocks only here, so there is nothing else to look for.
  if (await purgeBlocks(tx, before))
    await purgeRows(tx, `alarm WHERE received_at < ? AND NOT EXISTS (${linked})`, before);
  await purgeRows(tx, 'run WHERE started_at < ?', before);
  await purgeRows(tx, 'outcome WHERE at < ?', before);
  await purgeRows(tx, 'drift WHERE at < ?', before);
  await purgeRows(tx, 'outbox WHERE due_at IS NULL AND created_at < ?', now - Math.max(keepMs, keepMessagesMs));
}

/** Deletes blocks together with their links to alarms. @returns whether there were any */
async function purgeBlocks(tx: Transaction, before: number): Promise<boolean> {
  const old = "SELECT id FROM block WHERE state IN ('released', 'refused') AND updated_at < ? LIMIT ?";
  let isAny = false;
  for (let rows = await tx.all(old, before, slice); rows.length > 0; rows = await tx.all(old, before, slice)) {
    isAny = true;
    const ids = JSON.stringify(rows.map(({ id }) => id));
    await tx.run('DELETE FROM alarm_block WHERE block IN (SELECT value FROM json_each(?))', ids);
    await tx.run('DELETE FROM block WHERE id IN (SELECT value FROM json_each(?))', ids);
  }
  return isAny;
}

/** @param rows table and condition, whose one value is the time */
async function purgeRows(tx: Transaction, rows: string, before: number): Promise<void> {
  const [table = ''] = rows.split(' ');
  const statement = `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${rows} LIMIT ?)`;
  while ((await tx.run(statement, before, slice)) === slice);
}
