import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeChange } from '../core/address-change.js';
import { openLedger } from '../ledger/index.js';
import { FirebreakError } from '../core/errors.js';
import { warn, type Check } from '../core/check.js';

/** Whether the firewall tells other addresses of its own than before; nothing where it does not, or nobody knows. */
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
    if (error instanceof FirebreakError) return []; // the look at the ledger says what is wrong with it
    throw error;
  }
}

const howToFix = 'where nobody changed its addresses, find out who is on that firewall';
