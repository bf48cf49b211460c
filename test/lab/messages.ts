import { DatabaseSync } from '@photostructure/sqlite';
import type { QueuedMessage } from '#firebreak/ledger/messages.js';

/** All messages in a ledger's file, sent or not, the oldest first. */
export function readMessages(file: string): QueuedMessage[] {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 10_000 });
  try {
    const rows = database.prepare('SELECT * FROM outbox ORDER BY created_at, id').all() as Record<string, unknown>[];
    return rows.map((row) => ({
      id: String(row['id']),
      kind: String(row['kind']),
      content: JSON.parse(String(row['content'])) as Record<string, string>,
      createdAt: row['created_at'] as number,
      dueAt: row['due_at'] as number | null,
      tries: row['tries'] as number,
      sentAt: row['sent_at'] as number | null,
      lastError: row['trouble'] as string | null,
    }));
  } finally {
    database.close();
  }
}
