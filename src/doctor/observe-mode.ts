import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/schema.js';
import { observeCheck, ok, warn, type Check } from '../core/check.js';
import { FirebreakError } from '../core/errors.js';
import { formatLocal } from '../core/local-time.js';
import { openLedger } from '../ledger/index.js';
import type { Ledger } from '../ledger/ledger.js';

/** A trial that goes on for longer has probably been forgotten. */
const longMs = 30 * 86_400_000;

/** Says that a firewall only observes; empty if it blocks. */
export async function checkObserving(config: Config, firewall: string): Promise<Check[]> {
  const isConfigured = config.firewalls[firewall]?.mode === 'observe';
  const byConfig = isConfigured
    ? [ok(observeCheck, `observes only (firewalls.${firewall}.mode): alarms are dry runs`)]
    : [];
  const file = join(config.state_dir, 'ledger.db');
  if (!existsSync(file)) return byConfig;
  try {
    const ledger = await openLedger({ file });
    try {
      return (await checkSince(firewall, ledger)) ?? byConfig;
    } finally {
      await ledger.close();
    }
  } catch (error) {
    if (error instanceof FirebreakError) return byConfig; // the check of the ledger reports the problem
    throw error;
  }
}

/** Undefined if no operator made the firewall observe. */
async function checkSince(firewall: string, ledger: Ledger): Promise<Check[] | undefined> {
  const found = (await ledger.findObserving()).find((each) => each.firewall === firewall);
  if (found === undefined) return undefined;
  const text = `observes only since ${formatLocal(found.at)} by ${found.by}: alarms are dry runs`;
  const isLong = (await ledger.now()) - found.at > longMs;
  const query = { since: found.at, firewalls: [firewall], kinds: ['observed'], limit: 1 } as const;
  const hasAlarmed = isLong && (await ledger.findOutcomes(query)).length > 0;
  const fix = `firebreak report --observed --since 30d, then firebreak observe off --firewall ${firewall}`;
  return [hasAlarmed ? warn(observeCheck, text, fix) : ok(observeCheck, text)];
}
