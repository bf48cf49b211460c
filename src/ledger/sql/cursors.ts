import type { OutcomeRecord } from '../../core/stats.js';
import { findRow, hasRow, type Statements, type Transaction } from './database.js';
import { toOutcomes } from './outcomes.js';

/** A new cursor does not begin with the whole history; one unused for long skips older outcomes. */
const beginMs = 600_000;
const oldestMs = 7 * 24 * 3_600_000;
const maxAtOnce = 500;

export interface Reader {
  cursor: string;
  sender: string;
}

/** A query without a transaction: usually there is nothing, or another sender has the cursor. */
export async function hasOutcomes(db: Statements, { cursor, sender }: Reader): Promise<boolean> {
  const row = await findRow(db, 'SELECT seq, sender, held_until FROM feed WHERE name = ?', cursor);
  if (row === undefined || row['sender'] === sender) return true;
  const now = await db.now();
  if (Number(row['held_until']) > now) return false;
  return hasRow(db, 'SELECT 1 FROM outcome WHERE seq > ? AND at >= ? LIMIT 1', ...[Number(row['seq']), now - oldestMs]);
}

export async function claimOutcomes(
  tx: Transaction,
  { cursor, sender }: Reader,
  forMs: number,
): Promise<OutcomeRecord[]> {
  const now = await tx.now();
  await tx.run(
    `INSERT INTO feed (name, seq, sender, held_until)
     VALUES (?, coalesce((SELECT max(seq) FROM outcome WHERE at < ?), 0), NULL, 0) ON CONFLICT DO NOTHING`,
    ...[cursor, now - beginMs],
  );
  const row = await findRow(tx, 'SELECT seq, sender, held_until FROM feed WHERE name = ?', cursor);
  if (row?.['sender'] !== sender && Number(row?.['held_until']) > now) return [];
  const found = await tx.all(
    'SELECT * FROM outcome WHERE seq > ? AND at >= ? ORDER BY seq LIMIT ?',
    ...[Number(row?.['seq']), now - oldestMs, maxAtOnce],
  );
  const [holder, until] = found.length === 0 ? [null, 0] : [sender, now + forMs];
  await tx.run('UPDATE feed SET sender = ?, held_until = ? WHERE name = ?', holder, until, cursor);
  return toOutcomes(tx, found);
}

export async function ackOutcomes(
  tx: Transaction,
  { cursor, sender }: Reader,
  { seq, retryAfterMs }: { seq?: number; retryAfterMs?: number },
): Promise<void> {
  if (seq !== undefined) {
    await tx.run('UPDATE feed SET seq = ? WHERE name = ? AND sender = ? AND seq < ?', ...[seq, cursor, sender, seq]);
  }
  if (retryAfterMs !== undefined) {
    await tx.run(
      'UPDATE feed SET sender = NULL, held_until = ? WHERE name = ? AND sender = ?',
      ...[(await tx.now()) + retryAfterMs, cursor, sender],
    );
  }
}
