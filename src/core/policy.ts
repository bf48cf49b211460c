import { contains, embeddedAddresses, overlaps, parseAddress, type Address } from './address.js';
import type { Flow, RuleType } from './flow.js';

/** An address nobody may block, and the reason in words that finish "X is …". */
export interface Protection {
  address: Address;
  reason: string;
  /** Whether the configuration says so; without it nobody has to. */
  isListed?: boolean;
}

export interface Policy {
  protections: readonly Protection[];
  types: readonly RuleType[];
  /** The operator's own NAT64 prefixes. */
  nat64?: readonly Address[];
}

/** What has been seen, and nobody wrote down. It is evidence, and lapses; a firewall is believed about itself alone. */
export interface Seen {
  /** By firewall, its own addresses. */
  addresses: Readonly<Record<string, readonly string[]>>;
  /** Who hands alarms to the gateway. */
  callers: readonly string[];
}

export const nothingSeen: Seen = { addresses: {}, callers: [] };

/** A firewall has other addresses than before: it was moved, or somebody took it over. */
export interface AddressChange {
  firewall: string;
  at: number;
  added: readonly string[];
  removed: readonly string[];
  isTold: boolean;
}

/**
 * Addresses that no rule on a firewall can mean, whatever the alarm says. Written out, not parsed: an alarm of IPv4
 * need not wait for what reads IPv6.
 */
export const alwaysProtected: readonly Protection[] = [
  { address: { text: '0.0.0.0/8', family: 'inet', prefix: 8 }, reason: 'not a host: "this network"' },
  { address: { text: '127.0.0.0/8', family: 'inet', prefix: 8 }, reason: 'loopback' },
  { address: { text: '169.254.0.0/16', family: 'inet', prefix: 16 }, reason: 'link-local' },
  { address: { text: '224.0.0.0/4', family: 'inet', prefix: 4 }, reason: 'multicast' },
  { address: { text: '255.255.255.255', family: 'inet', prefix: 32 }, reason: 'broadcast' },
  { address: { text: '::', family: 'inet6', prefix: 128 }, reason: 'not a host: the unspecified address' },
  { address: { text: '::1', family: 'inet6', prefix: 128 }, reason: 'loopback' },
  { address: { text: 'fe80::/10', family: 'inet6', prefix: 10 }, reason: 'link-local' },
  { address: { text: 'ff00::/8', family: 'inet6', prefix: 8 }, reason: 'multicast' },
];

function toAddress(text: string): Address {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new Error(`not an address: ${text}`);
  return parsed.address;
}

/** The sentence that says why a flow is refused, or undefined where it may be blocked. */
export function findRefusal(flow: Flow, policy: Policy): string | undefined {
  if (!policy.types.includes(flow.type)) {
    return `refused: type "${flow.type}" is not among policy.types (${policy.types.join(', ')})`;
  }
  return findProtection(toAddress(flow.source), policy) ?? findProtection(toAddress(flow.destination), policy);
}

/** The same for one address or network: what lies in it, around it, or in an IPv4 address that it carries. */
export function findProtection(
  address: Address,
  { protections, nat64 = [] }: Pick<Policy, 'protections' | 'nat64'>,
): string | undefined {
  for (const each of [address, ...embeddedAddresses(address, nat64)]) {
    const found = protections.find((protection) => overlaps(protection.address, each));
    if (found !== undefined) return `refused: ${describe(address, each, found)}`;
  }
  return undefined;
}

function describe(asked: Address, met: Address, { address, reason, isListed = false }: Protection): string {
  const steps = [
    ...(asked === met ? [] : [`carries ${met.text}`]),
    ...(contains(address, met) ? [] : [`holds ${address.text}`]),
  ];
  const way = steps.length === 0 ? '' : ` ${steps.join(', which ')}, which`;
  return `${asked.text}${way} is ${reason}${isListed ? '' : ' (protected always)'}`;
}
