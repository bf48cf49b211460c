import type { OutcomeKind } from '../../core/outcome.js';
import type { OutcomeQuery, OutcomeRecord } from '../../core/stats.js';
import { getBlock } from './block-rows.js';
import type { Row, Statements } from './database.js';

/** The latest outcomes that match, oldest first. */
export async function findOutcomes(
  db: Statements,
  { since, after = 0, source, block, firewalls, kinds, before, limit }: OutcomeQuery,
): Promise<OutcomeRecord[]> {
  const conditions = ['outcome.at >= ?', 'outcome.seq > ?'];
  const values: (string | number)[] = [since, after];
  if (source !== undefined) {
    conditions.push('block.source = ?');
    values.push(source);
  }
  if (block !== undefined) {
    conditions.push('outcome.block = ?');
    values.push(block);
  }
  if (firewalls !== undefined) {
    conditions.push(`outcome.firewall IN (${firewalls.map(() => '?').join(', ')})`);
    values.push(...firewalls);
  }
  if (kinds !== undefined) {
    conditions.push(`outcome.kind IN (${kinds.map(() => '?').join(', ')})`);
    values.push(...kinds);
  }
  if (before !== undefined) {
    conditions.push('outcome.seq < ?');
    values.push(before);
  }
  const rows = await db.all(
    `SELECT outcome.* FROM outcome JOIN block ON block.id = outcome.block
     WHERE ${conditions.join(' AND ')} ORDER BY outcome.seq DESC LIMIT ?`,
    ...[...values, limit],
  );
  return toOutcomes(db, rows.reverse());
}

export async function toOutcomes(db: Statements, rows: readonly Row[]): Promise<OutcomeRecord[]> {
  const outcomes: OutcomeRecord[] = [];
  for (const row of rows) {
    outcomes.push({
      seq: Number(row['seq']),
      at: Number(row['at']),
      kind: row['kind'] as OutcomeKind, // as recordOutcome wrote it
      ms: Number(row['ms']),
      code: row['code'] as string | null,
      reason: row['reason'] as string | null,
      block: await getBlock(db, String(row['block'])),
    });
  }
  return outcomes;
}
