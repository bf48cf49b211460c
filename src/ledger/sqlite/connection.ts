import { DatabaseSync, type StatementSyncInstance } from '@photostructure/sqlite';
import type { Row, Value } from '../sql/database.js';

/** One connection to the file. Each statement runs immediately or is refused as busy; nothing here waits. */
export interface Connection {
  exec(sql: string): void;
  run(sql: string, values: readonly Value[]): number;
  rows(sql: string, values: readonly Value[]): Iterable<Row>;
  isInTransaction(): boolean;
  close(): void;
}

export function openConnection(file: string): Connection {
  const connection = new DatabaseSync(file, { timeout: 0 });
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
