import type { Ledger } from './ledger.js';
import { openSqliteLedger, type SqliteSettings } from './sqlite/open-ledger.js';

/** The implementations of the ledger. */
const ledgers = { sqlite: openSqliteLedger };

export interface LedgerSettings extends SqliteSettings {
  kind?: keyof typeof ledgers;
}

/** Opens the configured ledger. @throws FirebreakError ledger_unwritable, ledger_corrupt, ledger_newer, ledger_busy */
export const openLedger = ({ kind = 'sqlite', ...settings }: LedgerSettings): Promise<Ledger> =>
  ledgers[kind](settings);
