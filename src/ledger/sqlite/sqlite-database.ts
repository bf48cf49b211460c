import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, Row, Transaction, Value } from '../sql/database.js';
import { isSliceOver, yieldToOthers } from '../yield-to-others.js';
import { followClock, type Reading } from './clock.js';
import type { Connection } from './connection.js';
import { beginPatience, retryWhileBusy, type Patience } from './patience.js';
import { explainSqliteError } from './sqlite-errors.js';
import { makeTurns } from './turns.js';

export interface SqliteOptions {
  file: string;
  /** Is read once in each transaction. */
  clock: () => Reading;
  /** How long to wait for others that write. */
  patienceMs: number;
}

/** How often a waiting process asks whether others wrote. One number is read, no query is made. */
const lookEveryMs = 100;

/**
 * The ledger's database over one connection. Processes are kept apart by SQLite's lock, the tasks of this one by turns:
 * a transaction has the connection for itself, and who waits for SQLite's lock leaves it to those who read.
 */
export function makeSqliteDatabase(connection: Connection, { file, clock, patienceMs }: SqliteOptions): Database {
  const takeWriteTurn = makeTurns();
  const takeConnection = makeTurns();
  let isClosed = false;
  let commits = 0;

  /** Begins with the connection for itself. */
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
        const result = await transact({ connection, patience, reading: clock() }, work).finally(leave);
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
    waitForChange: async (timeoutMs) => {
      const before = await findVersion();
      for (let waited = 0; waited < timeoutMs && (await findVersion()) === before; waited += lookEveryMs) {
        await sleep(Math.min(lookEveryMs, timeoutMs - waited));
      }
    },
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      const leave = await takeConnection();
      connection.close();
      leave();
    },
  };
}

/** Nobody else writes from here on until COMMIT or ROLLBACK. @returns what gives the connection back after that */
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
}

/** Does the work in the transaction that was begun, and ends it. */
async function transact<T>(
  { connection, patience, reading }: Begun,
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
    followClock(connection, reading);
    const result = await work({
      run: (sql, ...values) => whileOpen(() => connection.run(sql, values)),
      all: (sql, ...values) => whileOpen(() => readRows(connection, sql, values)),
      now: () => Promise.resolve(reading.wall),
      onRollback: (undo) => void undos.push(undo),
    });
    hasEnded = true;
    await retryWhileBusy(patience, () => connection.exec('COMMIT'));
    return result;
  } catch (error) {
    hasEnded = true;
    for (const undo of undos) tryTo(undo); // before anybody else writes
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

/** What is to be told is the failure before it. */
function tryTo(undo: () => void): void {
  try {
    undo();
  } catch {
    return; // what is left is told by firebreak audit --verify
  }
}
