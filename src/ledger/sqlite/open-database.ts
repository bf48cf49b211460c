import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { FirebreakError } from '../../core/errors.js';
import type { Database } from '../sql/database.js';
import { openConnection, openUnchanging, type Connection } from './connection.js';
import { migrations } from './migrations/index.js';
import { beginPatience, retryWhileBusy, type Patience } from './patience.js';
import { checkOwnerHost } from './owner-host.js';
import { makeSqliteDatabase, type SqliteOptions } from './sqlite-database.js';
import { explainSqliteError, newerLedger } from './sqlite-errors.js';

/**
 * Opens the ledger for a command that only reads, also on a disk that is read-only or full.
 * @throws FirebreakError as openSqliteDatabase
 */
export async function openSqliteReader(options: SqliteOptions): Promise<Database> {
  try {
    return await openSqliteDatabase(options);
  } catch (error) {
    const isUnwritable = error instanceof FirebreakError && error.code === 'ledger_unwritable';
    if (!isUnwritable || hasWal(options.file)) throw error;
    return openFrozen(options, error);
  }
}

/** The ledger as it lies on the disk. Without a write-ahead log no process has it open to change it. */
function openFrozen(options: SqliteOptions, unwritable: FirebreakError): Database {
  try {
    const connection = openUnchanging(options.file);
    if (readVersion(connection) === migrations.length) return makeSqliteDatabase(connection, options);
    connection.close();
  } catch {
    // reported by the error before it
  }
  throw unwritable;
}

const hasWal = (file: string): boolean => (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;

/**
 * Opens the ledger's file, creates it if it is missing, and migrates an older one.
 * @throws FirebreakError ledger_unwritable, ledger_corrupt, ledger_newer, ledger_foreign, ledger_busy
 */
export async function openSqliteDatabase(options: SqliteOptions): Promise<Database> {
  const { file, patienceMs } = options;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    checkOwnerHost(file);
    const connection = openConnection(file);
    try {
      const patience = beginPatience(patienceMs);
      await retryWhileBusy(patience, () => connection.exec('PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON'));
      await migrate(connection, file, patience);
    } catch (error) {
      connection.close();
      throw error;
    }
    return makeSqliteDatabase(connection, options);
  } catch (error) {
    throw explainSqliteError(error, file, patienceMs);
  }
}

async function migrate(connection: Connection, file: string, patience: Patience): Promise<void> {
  const version = await retryWhileBusy(patience, () => readVersion(connection));
  if (version === migrations.length) return;
  if (version > migrations.length) throw newerLedger(file, version, migrations.length);
  chmodSync(file, 0o600);
  await retryWhileBusy(patience, () => connection.exec('PRAGMA journal_mode = WAL'));
  await retryWhileBusy(patience, () => connection.exec('BEGIN IMMEDIATE'));
  try {
    for (const step of migrations.slice(readVersion(connection))) connection.exec(step);
    connection.exec(`PRAGMA user_version = ${migrations.length}`);
    connection.exec('COMMIT');
  } catch (error) {
    connection.exec('ROLLBACK');
    throw error;
  }
}

function readVersion(connection: Connection): number {
  const [row] = [...connection.rows('PRAGMA user_version', [])];
  return Number(row?.['user_version']);
}
