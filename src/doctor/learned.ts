import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeChange } from '../core/address-change.js';
import { findAddressChanges } from '../ledger/sqlite/seen.js';
import { openDatabase } from '../ledger/sqlite/database.js';
import { FirebreakError } from '../core/errors.js';
import { warn, type Check } from '../core/check.js';

/** Whether the firewall tells other addresses of its own than before; nothing where it does not, or nobody knows. */
export function checkLearned(stateDir: string, firewall: string): Check[] {
  const file = join(stateDir, 'ledger.db');
  if (!existsSync(file)) return [];
  try {
    const database = openDatabase(file);
    try {
      const change = findAddressChanges(database, Date.now()).find((each) => each.firewall === firewall);
      return change === undefined ? [] : [warn('addresses', describeChange(change), howToFix)];
    } finally {
      database.close();
    }
  } catch (error) {
    if (error instanceof FirebreakError) return []; // the look at the ledger says what is wrong with it
    throw error;
  }
}

const howToFix = 'where nobody changed its addresses, find out who is on that firewall';
