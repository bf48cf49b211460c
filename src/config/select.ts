import { FirebreakError } from '../core/errors.js';
import type { Seen } from '../core/policy.js';
import type { Config, FirewallConfig } from './schema.js';

/**
 * The named firewalls, or all if none is named.
 * @throws FirebreakError firewall_unknown, with the names in the configuration
 */
export function selectFirewalls(config: Config, names: readonly string[]): [string, FirewallConfig][] {
  const unknown = names.find((name) => !Object.hasOwn(config.firewalls, name));
  if (unknown !== undefined) {
    const known = Object.keys(config.firewalls).join(' or ');
    throw new FirebreakError('firewall_unknown', `--firewall: expected ${known}, got "${unknown}"`);
  }
  return Object.entries(config.firewalls).filter(([name]) => names.length === 0 || names.includes(name));
}

/** Whether alarms are dry runs on a firewall: the configuration says so, or an operator. */
export const isObserving = (firewall: string, config: Config, seen: Seen | undefined): boolean =>
  config.firewalls[firewall]?.mode === 'observe' || seen?.observing?.includes(firewall) === true;
