import { FirebreakError } from '../core/errors.js';
import type { Seen } from '../core/policy.js';
import type { Config, FirewallConfig } from './schema.js';

/**
 * The named firewalls, those of a named tag (`@dmz`), or all if none is named.
 * @throws FirebreakError firewall_unknown, with the names in the configuration
 */
export function selectFirewalls(config: Config, names: readonly string[]): [string, FirewallConfig][] {
  const all = Object.entries(config.firewalls);
  const isNamed =
    (word: string) =>
    ([name, { tags }]: [string, FirewallConfig]) =>
      word.startsWith('@') ? tags.includes(word.slice(1)) : name === word;
  const unknown = names.find((word) => !all.some(isNamed(word)));
  if (unknown !== undefined) {
    const tags = [...new Set(all.flatMap(([, settings]) => settings.tags))].map((tag) => `@${tag}`);
    const known = [...all.map(([name]) => name), ...tags].join(' or ');
    throw new FirebreakError('firewall_unknown', `--firewall: expected ${known}, got "${unknown}"`);
  }
  return all.filter((entry) => names.length === 0 || names.some((word) => isNamed(word)(entry)));
}

/** Whether alarms are dry runs on a firewall: the configuration says so, or an operator. */
export const isObserving = (firewall: string, config: Config, seen: Seen | undefined): boolean =>
  config.firewalls[firewall]?.mode === 'observe' || seen?.observing?.includes(firewall) === true;
