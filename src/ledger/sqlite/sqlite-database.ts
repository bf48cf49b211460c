import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, Row, Transaction, Value } from '../sql/database.js';
import { isSliceOver, yieldToOthers } from '../yield-to-others.js';
import { followClock, type Reading } from './clock.js';
import type { Connection } from './connection.js';
import { beginPatience, retryWhileBusy, type Patience } from './patience.js';
import { explainSqliteError } from './sqlite-errors.js';
import { makeTurns } from '../turns.js';

export interface SqliteOptions {
  file: string;
  /** Read once per transaction. */
  clock: () => Reading;
  /** How long to wait for other writers. */
  patienceMs: number;
  /** Called after the wall clock was set, and every time in the ledger was shifted by as much. */
  onClockSet?: ((ms: number) => void) | undefined;
}

/** How often a waiting process checks for changes by others. This reads one number and runs no query. */
const pollEveryMs = 100;

/**
 * The ledger's database over one connection. SQLite's lock separates processes; turns separate the tasks of this one. A
 * transaction has the connection for itself, and a task that waits for SQLite's lock leaves it to readers.
 */
export function makeSqliteDatabase(connection: Connection, options: SqliteOptions): Database {
  const { file, clock, patienceMs, onClockSet } = options;
  const takeWriteTurn = makeTurns();
  const takeConnection = makeTurns();
  let isClosed = false;
  let commits = 0;

  /** Waits for exclusive use of the connection. @returns a function that ends it */
  const use = async (): Promise<() => void> => {
    await yieldToOthers();
    const leave = await takeConnection();
    if (!isClosed) return leave;
    leave();
    throw new Error('the ledger is closed');
  };
  const explained = async <T>(work: (patience: Patience) => Promise<T>): Promise<T> => {
    try {
      return await work(beginPatience(patienceMs));
    } catch (error) {
      throw explainSqliteError(error, file, patienceMs);
    }
  };
  const all = (sql: string, ...values: Value[]): Promise<Row[]> =>
    explained((patience) =>
      retryWhileBusy(patience, async () => {
        const leave = await use();
        return readRows(connection, sql, values).finally(leave);
      }),
    );
  const write = <T>(work: (transaction: Transaction) => Promise<T>): Promise<T> =>
    explained(async (patience) => {
      const endTurn = await takeWriteTurn();
      try {
        const leave = await begin(connection, patience, use);
        const result = await transact({ connection, patience, reading: clock(), onClockSet }, work).finally(leave);
        commits += 1;
        return result;
      } finally {
        endTurn();
      }
    });
  const findVersion = async (): Promise<string> => {
    const [row] = await all('PRAGMA data_version'); // changes with what other connections write
    return `${row?.['data_version'] ?? ''} ${commits}`;
  };

  return {
    all,
    write,
    run: (sql, ...values) => write((transaction) => transaction.run(sql, ...values)),
    now: () => Promise.resolve(clock().wall),
    waitForChange: (timeoutMs) => waitForOther(findVersion, timeoutMs),
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      const leave = await takeConnection();
      connection.close();
      leave();
    },
  };
}

/** Polls until the version differs, or the time is up. */
async function waitForOther(findVersion: () => Promise<string>, timeoutMs: number): Promise<void> {
  const before = await findVersion();
  for (let waited = 0; waited < timeoutMs && (await findVersion()) === before; waited += pollEveryMs) {
    await sleep(Math.min(pollEveryMs, timeoutMs - waited));
  }
}

/** Begins a transaction that excludes other writers. @returns a function that releases the connection after its end */
const begin = (connection: Connection, patience: Patience, use: () => Promise<() => void>): Promise<() => void> =>
  retryWhileBusy(patience, async () => {
    const leave = await use();
    try {
      connection.exec('BEGIN IMMEDIATE');
      return leave;
    } catch (error) {
      leave();
      throw error;
    }
  });

interface Begun {
  connection: Connection;
  patience: Patience;
  reading: Reading;
  onClockSet: SqliteOptions['onClockSet'];
}

/** Does the work in the open transaction, and ends it. */
async function transact<T>(
  { connection, patience, reading, onClockSet }: Begun,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const undos: (() => void)[] = [];
  let hasEnded = false;
  const whileOpen = async <R>(statement: () => R | Promise<R>): Promise<R> => {
    if (isSliceOver()) await yieldToOthers();
    if (hasEnded) throw new Error('the transaction has ended');
    return statement();
  };
  try {
    const jump = followClock(connection, reading);
    const result = await work({
      run: (sql, ...values) => whileOpen(() => connection.run(sql, values)),
      all: (sql, ...values) => whileOpen(() => readRows(connection, sql, values)),
      now: () => Promise.resolve(reading.wall),
      onRollback: (undo) => void undos.push(undo),
    });
    hasEnded = true;
    await retryWhileBusy(patience, () => connection.exec('COMMIT'));
    if (jump !== 0) onClockSet?.(jump);
    return result;
  } catch (error) {
    hasEnded = true;
    for (const undo of undos) tryTo(undo); // before any other process writes
    if (connection.isInTransaction()) connection.exec('ROLLBACK');
    throw error;
  }
}

/** All rows, read in slices: ten thousand blocks take 0.2 s. */
async function readRows(connection: Connection, sql: string, values: readonly Value[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const row of connection.rows(sql, values)) {
    rows.push(row);
    if (isSliceOver()) await yieldToOthers();
  }
  return rows;
}

/** The failure before it is the one to report. */
function tryTo(undo: () => void): void {
  try {
    undo();
  } catch {
    return; // firebreak audit --verify reports what is left
  }
}
