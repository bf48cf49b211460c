import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FirewallConfig } from '../config/schema.js';
import { describeChange } from '../core/address-change.js';
import { openLedger } from '../ledger/index.js';
import type { Ledger } from '../ledger/ledger.js';
import { FirebreakError } from '../core/errors.js';
import { warn, type Check } from '../core/check.js';
import type { InterfaceNetwork } from '../core/policy.js';
import { findInterface } from '../intake/alarm.js';

interface Target {
  name: string;
  firewall: FirewallConfig;
  stateDir: string;
}

/**
 * Warns if the firewall's own addresses have changed since an earlier run, and if the configuration contradicts the
 * networks that it reported; empty if not, or if nothing is recorded.
 */
export async function checkLearned({ name, firewall, stateDir }: Target): Promise<Check[]> {
  const file = join(stateDir, 'ledger.db');
  if (!existsSync(file)) return [];
  try {
    const ledger = await openLedger({ file });
    try {
      const { networks } = await ledger.findSeen();
      return [...(await checkAddresses(name, ledger)), ...checkInterfaces(name, firewall, networks?.[name] ?? [])];
    } finally {
      await ledger.close();
    }
  } catch (error) {
    if (error instanceof FirebreakError) return []; // the check of the ledger reports the problem
    throw error;
  }
}

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
