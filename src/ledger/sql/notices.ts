import type { Block } from '../../core/block.js';
import type { NewMessage } from '../messages.js';
import { toBlock } from './block-rows.js';
import { hasRow, type Statements, type Transaction } from './database.js';
import { queueMessages } from './outbox.js';

/** As in its index: blocks of seven days and more, about whose end no message was sent. */
const isUntold = "state = 'active' AND expires_at - created_at >= 604800000 AND notice_for IS NOT expires_at";

/** Twice the time, so that the ends of a day are in one message. */
export async function findEnding(db: Statements, withinMs: number): Promise<Block[]> {
  const now = await db.now();
  const isDue = await hasRow(db, `SELECT 1 FROM block WHERE ${isUntold} AND expires_at <= ? LIMIT 1`, now + withinMs);
  if (!isDue) return [];
  const rows = await db.all(
    `SELECT * FROM block WHERE ${isUntold} AND expires_at <= ? ORDER BY expires_at`,
    now + 2 * withinMs,
  );
  return rows.map(toBlock);
}

/** Nothing is sent if another process was first. */
export async function markEndingSent(
  tx: Transaction,
  blocks: readonly Block[],
  messages: readonly NewMessage[],
): Promise<void> {
  const marked = await tx.run(
    `UPDATE block SET notice_for = expires_at WHERE id IN (SELECT value FROM json_each(?)) AND ${isUntold}`,
    JSON.stringify(blocks.map(({ id }) => id)),
  );
  if (marked > 0) await queueMessages(tx, messages);
}
