import { isHost, parseAddress } from '../core/address.js';
import { alwaysProtected, nothingSeen, type Policy, type Protection, type Seen } from '../core/policy.js';
import type { Config } from './schema.js';
import { findThisHost } from './this-host.js';

/** Who asks, and what is known besides the configuration. */
export interface PolicyView {
  seen?: Seen;
  /** The firewall that the flow is for: what was seen on it counts there alone. */
  firewall?: string | undefined;
  /** What this host needs; read once a process by default. */
  host?: readonly Protection[];
}

/** The safety policy as configured, with what is protected whether configured or not. */
export function findPolicy(
  config: Config,
  { seen = nothingSeen, firewall, host = findThisHost() }: PolicyView = {},
): Policy {
  const { never_block, siem, types, nat64_prefixes } = config.policy;
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
      ...(firewall === undefined
        ? []
        : learnedAddresses(seen.addresses[firewall], `an address that firewall ${firewall} has`)),
      ...learnedAddresses(seen.callers, 'a host that hands alarms to this gateway'),
    ],
    types,
    nat64: nat64_prefixes,
  };
}

/** Single hosts only: a forged network would switch blocking off. */
const learnedAddresses = (texts: readonly string[] = [], reason: string): Protection[] =>
  texts
    .map(parseAddress)
    .flatMap((parsed) => (parsed.ok && isHost(parsed.address) ? [{ address: parsed.address, reason }] : []));

const findFirewalls = (config: Config): Protection[] =>
  Object.entries(config.firewalls).flatMap(([name, { host, addresses }]) => {
    const parsed = parseAddress(host);
    return [
      ...(parsed.ok ? [{ address: parsed.address, reason: `the address of firewall ${name}` }] : []),
      ...addresses.map((address) => ({ address, reason: `an address of firewall ${name}` })),
    ];
  });
