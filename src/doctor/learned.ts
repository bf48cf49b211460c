import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeChange } from '../core/address-change.js';
import type { Block } from '../core/block.js';
import { describeFlow } from '../core/describe-flow.js';
import { bypassLevels } from '../core/proof.js';
import { describeBypassed } from '../notify/wording.js';
import type { Config, FirewallConfig } from '../config/schema.js';
import { findProtected, type ProtectedBlock } from '../dispatch/find-protected.js';
import { openLedger } from '../ledger/index.js';
import type { BlockQuery, Ledger } from '../ledger/ledger.js';
import { FirebreakError } from '../core/errors.js';
import { warn, type Check } from '../core/check.js';
import type { InterfaceNetwork } from '../core/policy.js';
import { findInterface } from '../intake/alarm.js';

/**
 * Warns of what the ledger shows about a firewall: its own addresses have changed, the configuration contradicts its
 * networks, protected addresses are blocked, or rules do not stop their packets. Empty if there is nothing, or no ledger.
 */
export async function checkLearned(config: Config, firewall: string): Promise<Check[]> {
  const file = join(config.state_dir, 'ledger.db');
  if (!existsSync(file)) return [];
  try {
    const ledger = await openLedger({ file });
    try {
      const { networks } = await ledger.findSeen();
      const settings = config.firewalls[firewall];
      const [found, ...more] = await findProtected(firewall, { config, ledger });
      return [
        ...(await checkAddresses(firewall, ledger)),
        ...(settings === undefined ? [] : checkInterfaces(firewall, settings, networks?.[firewall] ?? [])),
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

async function checkAddresses(name: string, ledger: Ledger): Promise<Check[]> {
  const change = (await ledger.findAddressChanges()).find((each) => each.firewall === name);
  return change === undefined ? [] : [warn('addresses', describeChange(change), howToFix)];
}

const howToFix = 'if you did not change its addresses, find out who has access to that firewall';

/**
 * Whether the configuration sends the alarms of a network to another interface than that by which its packets enter.
 * An interface without networks of its own says nothing: it may be a group, which only the firewall knows.
 */
export function checkInterfaces(name: string, firewall: FirewallConfig, learned: readonly InterfaceNetwork[]): Check[] {
  if (Object.keys(firewall.interfaces).length === 0) return [];
  const known = new Set(learned.map((each) => each.interface));
  const wrong = learned.flatMap(({ interface: right, network }) => {
    const chosen = findInterface(firewall, network) ?? 'wan';
    const isRight = learned.some((each) => each.network === network && each.interface === chosen);
    return isRight || !known.has(chosen) ? [] : [{ network, right, chosen }];
  });
  const [first] = wrong;
  if (first === undefined) return [];
  const { network, right, chosen } = first;
  const others = wrong.length === 1 ? '' : ` (and ${wrong.length - 1} more)`;
  const detail = `${network} is behind ${right}, and firewalls.${name}.interfaces leads to ${chosen}${others}`;
  return [warn('interfaces', detail, `add ${network} to firewalls.${name}.interfaces.${right}`)];
}
