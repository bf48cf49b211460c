import type { DecisionLink, NewDecisionLink } from '../ledger.js';
import { findRow, type Statements, type Transaction } from './database.js';

export async function addDecisionLink(tx: Transaction, link: NewDecisionLink): Promise<void> {
  const now = await tx.now();
  await tx.run('DELETE FROM decision_link WHERE expires_at <= ?', now);
  const { hash, blocks, sentBy, forMs } = link;
  await tx.run(
    'INSERT INTO decision_link (hash, blocks, sent_by, expires_at) VALUES (?, ?, ?, ?)',
    ...[hash, JSON.stringify(blocks), sentBy, now + forMs],
  );
}

export async function findDecisionLink(db: Statements, hash: string): Promise<DecisionLink | undefined> {
  const row = await findRow(
    db,
    'SELECT blocks, sent_by FROM decision_link WHERE hash = ? AND expires_at > ?',
    ...[hash, await db.now()],
  );
  if (row === undefined) return undefined;
  // As addDecisionLink wrote it.
  return { blocks: JSON.parse(String(row['blocks'])) as string[], sentBy: String(row['sent_by']) };
}

/** Finds a link and ends it: of several callers one gets it. */
export async function takeDecisionLink(tx: Transaction, hash: string): Promise<DecisionLink | undefined> {
  const link = await findDecisionLink(tx, hash);
  if (link !== undefined) await tx.run('DELETE FROM decision_link WHERE hash = ?', hash);
  return link;
}
