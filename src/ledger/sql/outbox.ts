import { messageBackoffAfter } from '../../core/backoff.js';
import type { MessageEnding, NewMessage, QueuedMessage } from '../messages.js';
import { findRow, hasRow, type Row, type Statements, type Transaction } from './database.js';

/**
 * An outgoing message is marked as being sent before it is sent, and a clear answer removes the mark: a
 * sender that dies, or gets no answer, leaves the message unconfirmed. After the second time it may have arrived twice,
 * and is not sent again.
 *
 *   due --claim--> claimed by a sender --send--> sending --accepted--> sent
 *   sending --refused--> due later     sending --no answer, sender gone--> unconfirmed --> due later, or a dead letter
 */
const maxUnconfirmed = 2;

/** A mail server that is unreachable for longer has probably been replaced. */
const giveUpMs = 7 * 24 * 3_600_000;

export async function queueMessage(tx: Transaction, { id, kind, content }: NewMessage): Promise<void> {
  const now = await tx.now();
  await tx.run(
    'INSERT INTO outbox (id, kind, content, created_at, due_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    ...[id, kind, JSON.stringify(content), now, now],
  );
}

export async function queueMessages(tx: Transaction, messages: readonly NewMessage[]): Promise<void> {
  for (const message of messages) await queueMessage(tx, message);
}

export const hasMessage = (db: Statements, id: string): Promise<boolean> =>
  hasRow(db, 'SELECT 1 FROM outbox WHERE id = ?', id);

/** A query without a transaction: usually there is nothing. */
export const hasMessages = async (db: Statements, sender: string): Promise<boolean> =>
  hasRow(
    db,
    'SELECT 1 FROM outbox WHERE due_at IS NOT NULL AND (due_at <= ? OR sender = ?) LIMIT 1',
    ...[await db.now(), sender],
  );

export async function claimMessages(tx: Transaction, sender: string, forMs: number): Promise<QueuedMessage[]> {
  const now = await tx.now();
  await tx.run('UPDATE outbox SET doubts = doubts + 1, handing = 0 WHERE handing = 1 AND due_at <= ?', now);
  await markDeadLetters(tx);
  await tx.run(
    'UPDATE outbox SET sender = ?, due_at = ? WHERE due_at IS NOT NULL AND (due_at <= ? OR sender = ?)',
    ...[sender, now + forMs, now, sender],
  );
  const rows = await tx.all(
    'SELECT * FROM outbox WHERE sender = ? AND due_at IS NOT NULL ORDER BY created_at, id',
    sender,
  );
  return rows.map(toMessage);
}

export interface ClaimedMessage {
  id: string;
  sender: string;
}

export async function markSending(tx: Transaction, { id, sender }: ClaimedMessage, forMs: number): Promise<boolean> {
  const changes = await tx.run(
    'UPDATE outbox SET handing = 1, due_at = ? WHERE id = ? AND sender = ? AND handing = 0 AND due_at IS NOT NULL',
    ...[(await tx.now()) + forMs, id, sender],
  );
  return changes === 1;
}

/** Extends the claim on all messages that the sender has not settled. */
export async function renewMessages(tx: Transaction, sender: string, forMs: number): Promise<void> {
  const until = (await tx.now()) + forMs;
  await tx.run('UPDATE outbox SET due_at = ? WHERE sender = ? AND due_at IS NOT NULL', until, sender);
}

export async function settleMessage(
  tx: Transaction,
  { id, sender }: ClaimedMessage,
  ending: MessageEnding,
): Promise<void> {
  const row = await findRow(tx, 'SELECT * FROM outbox WHERE id = ? AND sender = ?', id, sender);
  if (row === undefined) return;
  const now = await tx.now();
  if (ending.kind === 'sent') {
    await tx.run(
      'UPDATE outbox SET sent_at = ?, due_at = NULL, sender = NULL, handing = 0, trouble = NULL WHERE id = ?',
      ...[now, id],
    );
    return;
  }
  const { createdAt, tries } = toMessage(row);
  const isLate = now - createdAt >= giveUpMs;
  await tx.run(
    'UPDATE outbox SET tries = ?, due_at = ?, sender = NULL, handing = 0, doubts = doubts + ?, trouble = ? WHERE id = ?',
    ...[tries + 1, isLate ? null : now + messageBackoffAfter(tries + 1), Number(ending.kind === 'unconfirmed')],
    ...[ending.reason, id],
  );
  await markDeadLetters(tx);
}

async function markDeadLetters(tx: Transaction): Promise<void> {
  await tx.run(
    `UPDATE outbox SET due_at = NULL, sender = NULL, handing = 0,
       trouble = coalesce(trouble, 'sent twice without confirmation')
     WHERE doubts >= ? AND due_at IS NOT NULL`,
    maxUnconfirmed,
  );
}

/** The cast relies on `queueMessage`: nothing else writes the column. */
const toMessage = (row: Row): QueuedMessage => ({
  id: String(row['id']),
  kind: String(row['kind']),
  content: JSON.parse(String(row['content'])) as Record<string, string>,
  createdAt: Number(row['created_at']),
  dueAt: row['due_at'] as number | null,
  tries: Number(row['tries']),
  sentAt: row['sent_at'] as number | null,
  lastError: row['trouble'] as string | null,
});
