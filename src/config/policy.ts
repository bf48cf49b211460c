import { parseAddress } from '../core/address.js';
import { alwaysProtected, type Policy, type Protection } from '../core/policy.js';
import type { Config } from './schema.js';
import { findThisHost } from './this-host.js';

/**
 * The safety policy as configured, with what is protected whether configured or not.
 * @param host what this host needs; looked up anew by default
 */
export function findPolicy(config: Config, host: readonly Protection[] = findThisHost()): Policy {
  const { never_block, siem, types } = config.policy;
  const listed = never_block.flatMap(({ text, networks }) =>
    networks.map((address) => ({
      address,
      reason: `protected by policy.never_block (${text.startsWith('@') ? `${address.text} in ${text.slice(1)}` : text})`,
      isListed: true,
    })),
  );
  return {
    protections: [
      ...alwaysProtected,
      ...findFirewalls(config),
      ...siem.map((address) => ({ address, reason: 'the SIEM (policy.siem)', isListed: true })),
      ...listed,
      ...host,
    ],
    types,
  };
}

const findFirewalls = (config: Config): Protection[] =>
  Object.entries(config.firewalls).flatMap(([name, { host, addresses }]) => {
    const parsed = parseAddress(host);
    return [
      ...(parsed.ok ? [{ address: parsed.address, reason: `the address of firewall ${name}` }] : []),
      ...addresses.map((address) => ({ address, reason: `an address of firewall ${name}` })),
    ];
  });

/** The configuration with the addresses that runs have seen on its firewalls, beside those that it names. */
export const withSeen = (config: Config, seen: Readonly<Record<string, readonly string[]>>): Config => ({
  ...config,
  firewalls: Object.fromEntries(
    Object.entries(config.firewalls).map(([name, firewall]) => {
      const found = (Object.hasOwn(seen, name) ? (seen[name] ?? []) : []).map(parseAddress);
      const addresses = found.flatMap((each) => (each.ok ? [each.address] : []));
      return [name, { ...firewall, addresses: [...firewall.addresses, ...addresses] }];
    }),
  ),
});
