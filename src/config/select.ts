import { FirebreakError } from '../core/errors.js';
import type { Config, FirewallConfig } from './schema.js';

/**
 * The firewalls that were named, or all where none was.
 * @throws FirebreakError firewall_unknown, with the names that exist
 */
export function selectFirewalls(config: Config, names: readonly string[]): [string, FirewallConfig][] {
  const unknown = names.find((name) => !Object.hasOwn(config.firewalls, name));
  if (unknown !== undefined) {
    const known = Object.keys(config.firewalls).join(', ');
    throw new FirebreakError('firewall_unknown', `--firewall: there is no "${unknown}"; known: ${known}`);
  }
  return Object.entries(config.firewalls).filter(([name]) => names.length === 0 || names.includes(name));
}
