export type Value = string | number | null;
export type Row = Record<string, Value>;

/** Reads and changes rows, inside a transaction or outside. Values are bound to `?`, in order. */
export interface Statements {
  /** Changes rows. @returns how many */
  run(sql: string, ...values: Value[]): Promise<number>;
  all(sql: string, ...values: Value[]): Promise<Row[]>;
  /** The ledger's time, in milliseconds since the epoch; constant within a transaction. */
  now(): Promise<number>;
}

export interface Transaction extends Statements {
  /** Reverts changes outside the ledger if the transaction is not committed, before any other process writes. */
  onRollback(undo: () => void): void;
}

/**
 * The database, for any number of processes and of tasks within one. No call blocks the event loop while
 * it waits for others.
 */
export interface Database extends Statements {
  /**
   * Runs the work in one exclusive write transaction; if it throws, nothing is written. Within it use only
   * `transaction`: a statement of the database itself waits until the transaction has ended.
   */
  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Resolves when something may have changed, or the time is up. */
  waitForChange(timeoutMs: number): Promise<void>;
  /** Finishes the open transaction; those that still wait for their turn are refused. */
  close(): Promise<void>;
}

export const findRow = async (from: Statements, sql: string, ...values: Value[]): Promise<Row | undefined> =>
  (await from.all(sql, ...values))[0];

/** Whether the query finds anything. */
export const hasRow = async (from: Statements, sql: string, ...values: Value[]): Promise<boolean> =>
  (await findRow(from, sql, ...values)) !== undefined;

/** The number that the query returns as `many`. */
export const countRows = async (from: Statements, sql: string, ...values: Value[]): Promise<number> =>
  Number((await findRow(from, sql, ...values))?.['many'] ?? 0);
