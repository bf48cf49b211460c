import { isHost, parseAddress, type Address } from '../core/address.js';
import { addressesOf, describeAllowance, type Allowance } from '../core/allowance.js';
import { alwaysProtected, nothingSeen, type Policy, type Protection, type Seen } from '../core/policy.js';
import type { Config } from './schema.js';
import type { Protected } from './schema/kinds.js';
import { findThisHost } from './this-host.js';

/** What the policy depends on besides the configuration. */
export interface PolicyView {
  seen?: Seen;
  /** The firewall of the flow. The addresses that a run has seen on a firewall are protected on that firewall only. */
  firewall?: string | undefined;
  /** The addresses that this host depends on; by default read once per process. */
  host?: readonly Protection[];
}

/** The safety policy as configured, with the addresses that are always protected. */
export function findPolicy(
  config: Config,
  { seen = nothingSeen, firewall, host = findThisHost() }: PolicyView = {},
): Policy {
  const { never_block, never_block_to, siem, types, nat64_prefixes } = config.policy;
  return {
    protections: [
      ...alwaysProtected,
      ...findFirewalls(config),
      ...siem.map((address) => ({ address, reason: 'the SIEM (policy.siem)', isListed: true })),
      ...listProtections(never_block, 'protected by policy.never_block'),
      ...listProtections(never_block_to, 'protected as a destination by policy.never_block_to').map(asDestination),
      ...findAllowed(seen.allowances),
      ...(firewall === undefined
        ? []
        : learnedAddresses(seen.addresses[firewall], `an address that firewall ${firewall} has`).map(asSource)),
      ...learnedAddresses(seen.callers, 'a host that sends alarms to this gateway'),
      ...host,
    ],
    types,
    nat64: nat64_prefixes,
  };
}

const asSource = (protection: Protection): Protection => ({ ...protection, end: 'source' });
const asDestination = (protection: Protection): Protection => ({ ...protection, end: 'destination' });

const listProtections = (entries: readonly Protected[], reason: string): Protection[] =>
  entries.flatMap(({ text, networks }) =>
    networks.map((address) => ({
      address,
      reason: `${reason} (${text.startsWith('@') ? `${address.text} in ${text.slice(1)}` : text})`,
      isListed: true,
    })),
  );

const hostOf = (address: Address): string => (isHost(address) ? address.text : '');

/** The ledger's own list, which an operator keeps with `firebreak allow`. */
const findAllowed = (allowances: readonly Allowance[] = []): Protection[] =>
  allowances
    .filter(({ kind }) => kind === 'allow')
    .flatMap((entry) =>
      addressesOf(entry)
        .map(parseAddress)
        .flatMap((parsed) =>
          parsed.ok
            ? [{ address: parsed.address, reason: describeAllowance(entry, hostOf(parsed.address)), isListed: true }]
            : [],
        ),
    );

/** Single hosts only: a forged network would disable blocking. */
const learnedAddresses = (texts: readonly string[] = [], reason: string): Protection[] =>
  texts
    .map(parseAddress)
    .flatMap((parsed) => (parsed.ok && isHost(parsed.address) ? [{ address: parsed.address, reason }] : []));

/** Attacks on a firewall itself may be blocked: its addresses are protected as sources. */
const findFirewalls = (config: Config): Protection[] =>
  Object.entries(config.firewalls).flatMap(([name, { host, addresses }]) => {
    const parsed = parseAddress(host);
    return [
      ...(parsed.ok ? [{ address: parsed.address, reason: `the address of firewall ${name}` }] : []),
      ...addresses.map((address) => ({ address, reason: `an address of firewall ${name}` })),
    ].map(asSource);
  });
