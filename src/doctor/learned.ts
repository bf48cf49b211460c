import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeChange } from '../core/address-change.js';
import type { Config } from '../config/schema.js';
import { findProtected, type ProtectedBlock } from '../dispatch/find-protected.js';
import { openLedger } from '../ledger/index.js';
import { FirebreakError } from '../core/errors.js';
import { warn, type Check } from '../core/check.js';

/** Warns of what the ledger shows about a firewall: its own addresses have changed, or protected ones are blocked. */
export async function checkLearned(config: Config, firewall: string): Promise<Check[]> {
  const file = join(config.state_dir, 'ledger.db');
  if (!existsSync(file)) return [];
  try {
    const ledger = await openLedger({ file });
    try {
      const change = (await ledger.findAddressChanges()).find((each) => each.firewall === firewall);
      const [found, ...more] = await findProtected(firewall, { config, ledger });
      return [
        ...(change === undefined ? [] : [warn('addresses', describeChange(change), howToFix)]),
        ...(found === undefined ? [] : [warn('protected', describeProtected(found, more.length), howToRelease)]),
      ];
    } finally {
      await ledger.close();
    }
  } catch (error) {
    if (error instanceof FirebreakError) return []; // the check of the ledger reports the problem
    throw error;
  }
}

const describeProtected = ({ block, reason }: ProtectedBlock, more: number): string =>
  `${block.flow.source} is blocked, but ${reason}${more > 0 ? `; ${more} more` : ''}`;

const howToRelease = 'release what should not be blocked with firebreak reconcile --fix';

const howToFix = 'if you did not change its addresses, find out who has access to that firewall';
