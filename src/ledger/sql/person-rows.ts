import type { Person, Role, WebSession } from '../../core/role.js';
import type { NewPerson, NewWebSession } from '../ledger.js';
import { findRow, hasRow, type Row, type Statements, type Transaction } from './database.js';

/** @returns false if there is a person of this name */
export async function addPerson(tx: Transaction, { name, role, password }: NewPerson, by: string): Promise<boolean> {
  if (await hasRow(tx, 'SELECT 1 FROM person WHERE name = ?', name)) return false;
  await tx.run(
    'INSERT INTO person (name, role, password, created_at, by) VALUES (?, ?, ?, ?, ?)',
    ...[name, role, password, await tx.now(), by],
  );
  return true;
}

/** Changes role or password, and ends the person's sessions. @returns false if there is none of this name */
export async function changePerson(
  tx: Transaction,
  name: string,
  { role, password }: Partial<Omit<NewPerson, 'name'>>,
): Promise<boolean> {
  const changed = await tx.run(
    'UPDATE person SET role = coalesce(?, role), password = coalesce(?, password) WHERE name = ?',
    ...[role ?? null, password ?? null, name],
  );
  if (changed > 0) await endWebSessions(tx, name);
  return changed > 0;
}

/** Removes a person, and ends the person's sessions. @returns false if there is none of this name */
export async function removePerson(tx: Transaction, name: string): Promise<boolean> {
  const removed = await tx.run('DELETE FROM person WHERE name = ?', name);
  if (removed > 0) await endWebSessions(tx, name);
  return removed > 0;
}

export const findPeople = async (db: Statements): Promise<Person[]> =>
  (await db.all('SELECT name, role, created_at, by FROM person ORDER BY name')).map(toPerson);

export async function findPerson(db: Statements, name: string): Promise<(Person & { password: string }) | undefined> {
  const row = await findRow(db, 'SELECT * FROM person WHERE name = ?', name);
  return row && { ...toPerson(row), password: String(row['password']) };
}

export async function addWebSession(tx: Transaction, session: NewWebSession): Promise<void> {
  const now = await tx.now();
  await tx.run('DELETE FROM web_session WHERE expires_at <= ?', now);
  const { hash, name, role, via, address, forMs } = session;
  await tx.run(
    `INSERT INTO web_session (hash, name, role, via, address, started_at, seen_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[hash, name, role, via, address, now, now, now + forMs],
  );
}

export async function findWebSession(db: Statements, hash: string, idleMs: number): Promise<WebSession | undefined> {
  const now = await db.now();
  const row = await findRow(
    db,
    'SELECT * FROM web_session WHERE hash = ? AND expires_at > ? AND seen_at > ?',
    ...[hash, now, now - idleMs],
  );
  return row && toWebSession(row);
}

export const touchWebSession = async (tx: Transaction, hash: string): Promise<number> =>
  tx.run('UPDATE web_session SET seen_at = ? WHERE hash = ?', await tx.now(), hash);

export async function findWebSessions(db: Statements, name: string, idleMs: number): Promise<WebSession[]> {
  const now = await db.now();
  const rows = await db.all(
    'SELECT * FROM web_session WHERE name = ? AND expires_at > ? AND seen_at > ? ORDER BY started_at DESC',
    ...[name, now, now - idleMs],
  );
  return rows.map(toWebSession);
}

/** @returns whether there was one */
export const endWebSession = async (tx: Transaction, hash: string): Promise<boolean> =>
  (await tx.run('DELETE FROM web_session WHERE hash = ?', hash)) > 0;

/** Ends all sessions of a person, except that of this hash. */
export const endWebSessions = (tx: Transaction, name: string, except = ''): Promise<number> =>
  tx.run('DELETE FROM web_session WHERE name = ? AND hash <> ?', name, except);

const toPerson = (row: Row): Person => ({
  name: String(row['name']),
  role: row['role'] as Role, // as addPerson wrote it
  createdAt: Number(row['created_at']),
  by: String(row['by']),
});

const toWebSession = (row: Row): WebSession => ({
  hash: String(row['hash']),
  name: String(row['name']),
  role: row['role'] as Role, // as addWebSession wrote it
  via: String(row['via']),
  address: String(row['address']),
  startedAt: Number(row['started_at']),
  seenAt: Number(row['seen_at']),
});
