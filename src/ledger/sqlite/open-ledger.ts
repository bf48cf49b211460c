import type { Ledger } from '../ledger.js';
import type { AuditFiles } from '../sql/audit-log.js';
import { makeSqlLedger } from '../sql/sql-ledger.js';
import { readClock, type Reading } from './clock.js';
import { openSqliteDatabase, openSqliteReader } from './open-database.js';
import { usualPatienceMs } from './patience.js';

export interface SqliteSettings {
  file: string;
  /** Where each decision is also recorded, in the same transaction. */
  audit?: AuditFiles | undefined;
  /** How long to wait for other writers. */
  patienceMs?: number | undefined;
  clock?: (() => Reading) | undefined;
  /** Whether the caller only reads, and so needs no disk that can be written. */
  isReader?: boolean | undefined;
  /** Called with the step after the wall clock was set. */
  onClockSet?: ((ms: number) => void) | undefined;
}

/**
 * Opens the ledger in one SQLite file, for any number of processes of one host.
 * @throws FirebreakError ledger_unwritable, ledger_corrupt, ledger_newer, ledger_busy
 */
export async function openSqliteLedger(settings: SqliteSettings): Promise<Ledger> {
  const { file, audit, patienceMs = usualPatienceMs, clock = readClock, isReader = false, onClockSet } = settings;
  const openDatabase = isReader ? openSqliteReader : openSqliteDatabase;
  return makeSqlLedger(await openDatabase({ file, clock, patienceMs, onClockSet }), audit);
}
