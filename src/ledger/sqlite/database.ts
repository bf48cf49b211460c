import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from '@photostructure/sqlite';
import { describeError } from '../../core/describe.js';
import { FirebreakError } from '../../core/errors.js';
import { migrations } from './migrations.js';

type Value = string | number | null;
type Row = Record<string, Value>;

/** A connection that knows how to wait, and says in plain words why it cannot go on. */
export interface Database {
  run(sql: string, ...values: Value[]): number;
  get(sql: string, ...values: Value[]): Row | undefined;
  all(sql: string, ...values: Value[]): Row[];
  /** Runs the function in one transaction that nobody else writes beside. */
  write<T>(work: () => T): T;
  /** Within a transaction: takes back what was done outside the ledger, should it not be committed. */
  onRollback(undo: () => void): void;
  close(): void;
}

/** How long to wait for others that write, where nobody says. A thousand launchers at once take turns. */
const usualPatienceMs = 60_000;

/**
 * Opens the ledger's file, makes it where there is none, and brings an older one up to date.
 * @param patienceMs how long to wait for others that write
 * @throws FirebreakError ledger_unwritable, ledger_corrupt, ledger_newer, ledger_busy
 */
export function openDatabase(file: string, patienceMs = usualPatienceMs): Database {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const connection = new DatabaseSync(file, { timeout: patienceMs });
    try {
      connection.exec('PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
      migrate(connection, file, patienceMs);
    } catch (error) {
      connection.close();
      throw error;
    }
    return wrap(connection, file, patienceMs);
  } catch (error) {
    throw explain(error, file, patienceMs);
  }
}

function migrate(connection: DatabaseSyncInstance, file: string, patienceMs: number): void {
  const version = readVersion(connection);
  if (version === migrations.length) return;
  if (version > migrations.length) throw newer(file, version);
  chmodSync(file, 0o600);
  enableWal(connection, patienceMs);
  begin(connection, patienceMs);
  try {
    for (const step of migrations.slice(readVersion(connection))) connection.exec(step);
    connection.exec(`PRAGMA user_version = ${migrations.length}`);
    connection.exec('COMMIT');
  } catch (error) {
    connection.exec('ROLLBACK');
    throw error;
  }
}

function readVersion(connection: DatabaseSyncInstance): number {
  const row = connection.prepare('PRAGMA user_version').get() as { user_version: number };
  return row.user_version;
}

/** The one statement that does not wait its turn by itself: others that open the new file at the same time refuse it. */
const enableWal = (connection: DatabaseSyncInstance, patienceMs: number): void =>
  waitForTurn(() => connection.exec('PRAGMA journal_mode = WAL'), patienceMs);

/** Nobody else writes from here on until COMMIT or ROLLBACK. */
function begin(connection: DatabaseSyncInstance, patienceMs: number): void {
  connection.exec('PRAGMA busy_timeout = 0');
  try {
    waitForTurn(() => connection.exec('BEGIN IMMEDIATE'), patienceMs);
  } finally {
    connection.exec(`PRAGMA busy_timeout = ${patienceMs}`);
  }
}

/**
 * Tries until nobody else is at it. SQLite's own waiting asks less often the longer it lasts, so that newcomers
 * overtake: of a thousand launchers a few waited for more than a minute. Here who waits longer asks more often.
 */
function waitForTurn(work: () => void, patienceMs: number): void {
  const started = performance.now();
  for (;;) {
    try {
      work();
      return;
    } catch (error) {
      const waitedMs = performance.now() - started;
      if (resultCode(error) !== codes.busy || waitedMs > patienceMs) throw error;
      pause(((0.5 + Math.random()) * 50) / (1 + waitedMs / 5000));
    }
  }
}

const pause = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

function wrap(connection: DatabaseSyncInstance, file: string, patienceMs: number): Database {
  const statements = new Map<string, StatementSyncInstance>();
  const prepare = (sql: string): StatementSyncInstance => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const made = connection.prepare(sql);
    statements.set(sql, made);
    return made;
  };
  const explained = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw explain(error, file, patienceMs);
    }
  };
  let undos: (() => void)[] = [];
  return {
    run: (sql, ...values) => explained(() => prepare(sql).run(...values).changes),
    get: (sql, ...values) => explained(() => prepare(sql).get(...values) as Row | undefined),
    all: (sql, ...values) => explained(() => prepare(sql).all(...values) as Row[]),
    write: (work) =>
      explained(() => {
        begin(connection, patienceMs);
        undos = [];
        try {
          const result = work();
          connection.exec('COMMIT');
          return result;
        } catch (error) {
          for (const undo of undos) tryTo(undo); // before anybody else writes
          if (connection.isTransaction) connection.exec('ROLLBACK');
          throw error;
        }
      }),
    onRollback: (undo) => void undos.push(undo),
    close: () => {
      statements.clear();
      connection.close();
    },
  };
}

/** What is to be told is the failure before it. */
function tryTo(undo: () => void): void {
  try {
    undo();
  } catch {
    return; // what is left is told by firebreak audit --verify
  }
}

/** SQLite's primary result codes (sqlite.org, "Result and Error Codes"). */
const codes = { busy: 5, readonly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const;

function resultCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

const newer = (file: string, version: number): FirebreakError =>
  new FirebreakError(
    'ledger_newer',
    `${file}: the ledger has version ${version}, this firebreak knows ${migrations.length}: install the newer firebreak again`,
  );

function explain(error: unknown, file: string, patienceMs: number): unknown {
  if (error instanceof FirebreakError) return error;
  const options = { cause: error };
  const code = resultCode(error);
  if (code === codes.corrupt || code === codes.notADatabase) {
    return new FirebreakError(
      'ledger_corrupt',
      `${file}: the ledger is damaged and was left as it is: move it and its -wal and -shm files away and put a backup in its place, or go on with a new one and run: firebreak reconcile`,
      options,
    );
  }
  if (code === codes.busy) {
    const waited = `${patienceMs / 1000} s`;
    const message = `${file}: others write to the ledger for longer than ${waited}; not kept, call again`;
    return new FirebreakError('ledger_busy', message, options);
  }
  const why = code === undefined ? undefined : troubles.get(code);
  if (why !== undefined) return unwritable(file, why, options);
  return isFileError(error) ? unwritable(file, describeError(error), options) : error;
}

const troubles = new Map<number, string>([
  [codes.full, 'no space left on the disk'],
  [codes.readonly, 'the file or its file system is read-only'],
  [codes.cannotOpen, 'cannot be opened or made'],
  [codes.ioError, 'the disk reports an error'],
]);

const isFileError = (error: unknown): boolean => error instanceof Error && 'syscall' in error;

const unwritable = (file: string, why: string, options: { cause: unknown }): FirebreakError =>
  new FirebreakError(
    'ledger_unwritable',
    `${file}: the ledger cannot be written: ${why}; firebreak doctor looks at its folder and disk`,
    options,
  );
