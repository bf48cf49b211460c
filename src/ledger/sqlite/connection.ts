import { pathToFileURL } from 'node:url';
import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from '@photostructure/sqlite';
import type { Row, Value } from '../sql/database.js';

/** One connection to the file. Each statement runs immediately or is refused as busy; nothing here waits. */
export interface Connection {
  exec(sql: string): void;
  run(sql: string, values: readonly Value[]): number;
  rows(sql: string, values: readonly Value[]): Iterable<Row>;
  isInTransaction(): boolean;
  close(): void;
}

export const openConnection = (file: string): Connection => wrap(new DatabaseSync(file, { timeout: 0 }));

/** Opens a ledger on a disk that cannot be written, where SQLite cannot create the files that it shares with writers. */
export const openUnchanging = (file: string): Connection =>
  wrap(new DatabaseSync(new URL(`${pathToFileURL(file).href}?immutable=1`), { timeout: 0, readOnly: true }));

function wrap(connection: DatabaseSyncInstance): Connection {
  const statements = new Map<string, StatementSyncInstance>();
  const prepare = (sql: string): StatementSyncInstance => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const made = connection.prepare(sql);
    statements.set(sql, made);
    return made;
  };
  return {
    exec: (sql) => connection.exec(sql),
    run: (sql, values) => prepare(sql).run(...values).changes,
    rows: (sql, values) => prepare(sql).iterate(...values) as Iterable<Row>, // it contains only strings, numbers and null
    isInTransaction: () => connection.isTransaction,
    close: () => {
      statements.clear();
      connection.close();
    },
  };
}
