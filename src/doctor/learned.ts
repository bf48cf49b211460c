import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeChange } from '../core/address-change.js';
import { openLedger } from '../ledger/index.js';
import { FirebreakError } from '../core/errors.js';
import { warn, type Check } from '../core/check.js';

/** Warns if the firewall's own addresses have changed since an earlier run; empty if not, or if none are recorded. */
export async function checkLearned(stateDir: string, firewall: string): Promise<Check[]> {
  const file = join(stateDir, 'ledger.db');
  if (!existsSync(file)) return [];
  try {
    const ledger = await openLedger({ file });
    try {
      const change = (await ledger.findAddressChanges()).find((each) => each.firewall === firewall);
      return change === undefined ? [] : [warn('addresses', describeChange(change), howToFix)];
    } finally {
      await ledger.close();
    }
  } catch (error) {
    if (error instanceof FirebreakError) return []; // the check of the ledger reports the problem
    throw error;
  }
}

const howToFix = 'if you did not change its addresses, find out who has access to that firewall';
