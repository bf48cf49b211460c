import { messageBackoffAfter } from '../../core/backoff.js';
import type { MessageEnding, NewMessage, QueuedMessage } from '../messages.js';
import type { Database } from './database.js';

/**
 * A message on its way out. `handing` is set before it leaves and taken back by a clear answer: a sender that dies, or
 * gets no answer, leaves a doubt. After two of them it may have arrived twice, and does not leave again.
 *
 *   due --claim--> held by a sender --leaves--> handing --sent--> kept as sent
 *   handing --refused--> due later     handing --no answer, sender gone--> doubt --> due later, or set aside
 */
const mostDoubts = 2;

/** A mail server that is away for longer has been replaced, or nobody reads there. */
const giveUpMs = 7 * 24 * 3_600_000;

export function queueMessage(database: Database, { id, kind, content }: NewMessage, now: number): void {
  database.run(
    'INSERT OR IGNORE INTO outbox (id, kind, content, created_at, due_at) VALUES (?, ?, ?, ?, ?)',
    ...[id, kind, JSON.stringify(content), now, now],
  );
}

export const hasMessage = (database: Database, id: string): boolean =>
  database.get('SELECT 1 FROM outbox WHERE id = ?', id) !== undefined;

export const hasMessages = (database: Database, sender: string, now: number): boolean =>
  database.get(
    'SELECT 1 FROM outbox WHERE due_at IS NOT NULL AND (due_at <= ? OR sender = ?) LIMIT 1',
    ...[now, sender],
  ) !== undefined;

export function claimMessages(database: Database, sender: string, now: number, forMs: number): QueuedMessage[] {
  database.run('UPDATE outbox SET doubts = doubts + 1, handing = 0 WHERE handing = 1 AND due_at <= ?', now);
  setAside(database);
  database.run(
    'UPDATE outbox SET sender = ?, due_at = ? WHERE due_at IS NOT NULL AND (due_at <= ? OR sender = ?)',
    ...[sender, now + forMs, now, sender],
  );
  return database
    .all('SELECT * FROM outbox WHERE sender = ? AND due_at IS NOT NULL ORDER BY created_at, id', sender)
    .map(toMessage);
}

export const beginHanding = (database: Database, id: string, sender: string, holdUntil: number): boolean =>
  database.run(
    'UPDATE outbox SET handing = 1, due_at = ? WHERE id = ? AND sender = ? AND handing = 0 AND due_at IS NOT NULL',
    ...[holdUntil, id, sender],
  ) === 1;

export function settleMessage(
  database: Database,
  { id, sender, ending }: { id: string; sender: string; ending: MessageEnding },
  now: number,
): void {
  const row = database.get('SELECT * FROM outbox WHERE id = ? AND sender = ?', id, sender);
  if (row === undefined) return;
  if (ending.kind === 'sent') {
    database.run(
      'UPDATE outbox SET sent_at = ?, due_at = NULL, sender = NULL, handing = 0, trouble = NULL WHERE id = ?',
      ...[now, id],
    );
    return;
  }
  const { createdAt, tries } = toMessage(row);
  const isLate = now - createdAt >= giveUpMs;
  database.run(
    'UPDATE outbox SET tries = ?, due_at = ?, sender = NULL, handing = 0, doubts = doubts + ?, trouble = ? WHERE id = ?',
    ...[tries + 1, isLate ? null : now + messageBackoffAfter(tries + 1), Number(ending.kind === 'unconfirmed')],
    ...[ending.reason, id],
  );
  setAside(database);
}

export const findMessages = (database: Database): QueuedMessage[] =>
  database.all('SELECT * FROM outbox ORDER BY created_at, id').map(toMessage);

function setAside(database: Database): void {
  database.run(
    `UPDATE outbox SET due_at = NULL, sender = NULL, handing = 0,
       trouble = coalesce(trouble, 'it left twice, and nobody said whether it arrived')
     WHERE doubts >= ? AND due_at IS NOT NULL`,
    mostDoubts,
  );
}

/** The cast stands on `queueMessage`: nothing else writes the column. */
const toMessage = (row: Record<string, string | number | null>): QueuedMessage => ({
  id: String(row['id']),
  kind: String(row['kind']),
  content: JSON.parse(String(row['content'])) as Record<string, string>,
  createdAt: Number(row['created_at']),
  dueAt: row['due_at'] as number | null,
  tries: Number(row['tries']),
  sentAt: row['sent_at'] as number | null,
  trouble: row['trouble'] as string | null,
});
