import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeChange } from '../core/address-change.js';
import type { Block } from '../core/block.js';
import { describeFlow } from '../core/describe-flow.js';
import { bypassLevels } from '../core/proof.js';
import type { BlockQuery } from '../ledger/ledger.js';
import { describeBypassed } from '../notify/wording.js';
import type { Config } from '../config/schema.js';
import { findProtected, type ProtectedBlock } from '../dispatch/find-protected.js';
import { openLedger } from '../ledger/index.js';
import { FirebreakError } from '../core/errors.js';
import { warn, type Check } from '../core/check.js';

/**
 * Warns of what the ledger shows about a firewall: its own addresses have changed, protected ones are blocked, or rules do
 * not stop their packets. Empty if there is nothing, or no ledger.
 */
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
        ...checkBypassed(await ledger.findBlocks(bypassedOn(firewall))),
      ];
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

const describeProtected = ({ block, reason }: ProtectedBlock, more: number): string =>
  `${block.flow.source} is blocked, but ${reason}${more > 0 ? `; ${more} more` : ''}`;

const howToRelease = 'release what should not be blocked with firebreak reconcile --fix';

const howToFix = 'if you did not change its addresses, find out who has access to that firewall';
