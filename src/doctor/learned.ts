import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeChange } from '../core/address-change.js';
import type { Block } from '../core/block.js';
import { describeFlow } from '../core/describe-flow.js';
import { bypassLevels } from '../core/proof.js';
import type { BlockQuery } from '../ledger/ledger.js';
import { describeBypassed } from '../notify/wording.js';
import { openLedger } from '../ledger/index.js';
import { FirebreakError } from '../core/errors.js';
import { warn, type Check } from '../core/check.js';

/**
 * Warns of what earlier runs have found: changed addresses of the firewall, and rules that do not stop their packets.
 * Empty if there is nothing, or no ledger.
 */
export async function checkLearned(stateDir: string, firewall: string): Promise<Check[]> {
  const file = join(stateDir, 'ledger.db');
  if (!existsSync(file)) return [];
  try {
    const ledger = await openLedger({ file });
    try {
      const change = (await ledger.findAddressChanges()).find((each) => each.firewall === firewall);
      const addresses = change === undefined ? [] : [warn('addresses', describeChange(change), howToFix)];
      return [...addresses, ...checkBypassed(await ledger.findBlocks(bypassedOn(firewall)))];
    } finally {
      await ledger.close();
    }
  } catch (error) {
    if (error instanceof FirebreakError) return []; // the check of the ledger reports the problem
    throw error;
  }
}

const bypassedOn = (firewall: string): BlockQuery => ({
  firewalls: [firewall],
  states: ['active'],
  proofs: bypassLevels,
});

function checkBypassed(blocks: readonly Block[]): Check[] {
  const [first] = blocks;
  if (first === undefined) return [];
  const detail = `${describeBypassed(blocks)}: ${describeFlow(first.flow)}: ${first.proofMessage ?? 'no reason is known'}`;
  return [
    warn('effect', detail, `change it on the firewall, then run firebreak reconcile --firewall ${first.firewall}`),
  ];
}

const howToFix = 'if you did not change its addresses, find out who has access to that firewall';
