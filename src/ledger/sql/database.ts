export type Value = string | number | null;
export type Row = Record<string, Value>;

/** What a rule reads and changes rows with, inside a transaction or outside. Values are bound to `?`, in their order. */
export interface Statements {
  /** Changes rows. @returns how many */
  run(sql: string, ...values: Value[]): Promise<number>;
  all(sql: string, ...values: Value[]): Promise<Row[]>;
  /** The ledger's time, in milliseconds since the epoch; it stands still within a transaction. */
  now(): Promise<number>;
}

export interface Transaction extends Statements {
  /** Takes back what was done outside the ledger, should the transaction not be committed; before anyone else writes. */
  onRollback(undo: () => void): void;
}

/**
 * What lies below all rules, for any number of processes and of tasks within one. No call blocks the event loop while
 * it waits for others.
 */
export interface Database extends Statements {
  /**
   * Runs the work in one transaction that nobody else writes beside; where it throws, nothing was written. Within it only
   * `transaction` is used: a statement of the database itself waits until the transaction has ended.
   */
  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Resolves when something may have changed, or when the time is up. */
  waitForChange(timeoutMs: number): Promise<void>;
  /** Ends the open transaction first; those that still wait for their turn are refused. */
  close(): Promise<void>;
}

export const findRow = async (from: Statements, sql: string, ...values: Value[]): Promise<Row | undefined> =>
  (await from.all(sql, ...values))[0];

/** Whether the query finds anything. */
export const hasRow = async (from: Statements, sql: string, ...values: Value[]): Promise<boolean> =>
  (await findRow(from, sql, ...values)) !== undefined;

/** The number that the query gives as `many`. */
export const countRows = async (from: Statements, sql: string, ...values: Value[]): Promise<number> =>
  Number((await findRow(from, sql, ...values))?.['many'] ?? 0);
