import type { Token, TokenScope } from '../../core/token.js';
import type { NewToken } from '../ledger.js';
import { findRow, hasRow, type Row, type Statements, type Transaction } from './database.js';

/** @returns false if there is a token of this name */
export async function addToken(tx: Transaction, token: NewToken, by: string): Promise<boolean> {
  const now = await tx.now();
  await tx.run('DELETE FROM token WHERE expires_at <= ?', now);
  if (await hasRow(tx, 'SELECT 1 FROM token WHERE name = ?', token.name)) return false;
  const { name, hash, scope, source, networks, durationMs } = token;
  await tx.run(
    `INSERT INTO token (name, hash, scope, source, networks, created_at, by, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[name, hash, scope, source, JSON.stringify(networks), now, by],
    durationMs === null ? null : now + durationMs,
  );
  return true;
}

/** @returns false if there is none of this name */
export const revokeToken = async (tx: Transaction, name: string): Promise<boolean> =>
  (await tx.run('DELETE FROM token WHERE name = ?', name)) > 0;

export async function findTokens(db: Statements): Promise<Token[]> {
  const rows = await db.all(
    'SELECT * FROM token WHERE expires_at IS NULL OR expires_at > ? ORDER BY name',
    await db.now(),
  );
  return rows.map(toToken);
}

export async function findToken(db: Statements, hash: string): Promise<Token | undefined> {
  const row = await findRow(
    db,
    'SELECT * FROM token WHERE hash = ? AND (expires_at IS NULL OR expires_at > ?)',
    ...[hash, await db.now()],
  );
  return row && toToken(row);
}

const toToken = (row: Row): Token => ({
  name: String(row['name']),
  scope: row['scope'] as TokenScope, // as addToken wrote it
  source: row['source'] as string | null,
  networks: JSON.parse(String(row['networks'])) as string[], // likewise
  createdAt: Number(row['created_at']),
  by: String(row['by']),
  expiresAt: row['expires_at'] as number | null,
});
