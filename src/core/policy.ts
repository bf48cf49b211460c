import { contains, embeddedAddresses, overlaps, parseAddress, type Address } from './address.js';
import type { Allowance } from './allowance.js';
import type { Flow, RuleType } from './flow.js';
import type { FirewallInterface } from './interface-name.js';

/** An address that must not be blocked, and a reason that completes "X is …". */
export interface Protection {
  address: Address;
  reason: string;
  /** Whether the configuration lists it; otherwise it is always protected. */
  isListed?: boolean;
  /** The only end of a flow that is protected; without it, both are. */
  end?: End;
}

export type End = 'source' | 'destination';

export interface Policy {
  protections: readonly Protection[];
  types: readonly RuleType[];
  /** The operator's own NAT64 prefixes. */
  nat64?: readonly Address[];
}

/** Learned addresses, as opposed to configured ones. They lapse; a firewall is trusted only about itself. */
export interface Seen {
  /** Each firewall's own addresses. */
  addresses: Readonly<Record<string, readonly string[]>>;
  /** The networks behind each firewall's interfaces. They protect nothing: they tell by which interface a source enters. */
  networks?: Readonly<Record<string, readonly InterfaceNetwork[]>>;
  /** Addresses that send alarms to the gateway. */
  callers: readonly string[];
  /** The interfaces of each firewall on which it accepts rules. */
  interfaces?: Readonly<Record<string, readonly FirewallInterface[]>>;
  /** The ledger's allowlist, and the grace times of released sources. */
  allowances?: readonly Allowance[];
  /** Firewalls on which an operator has made alarms dry runs. */
  observing?: readonly string[];
}

/** What a firewall reports of itself besides its addresses. */
export interface FirewallFacts {
  /** The interfaces on which it accepts rules. */
  interfaces?: readonly FirewallInterface[] | undefined;
  /** The networks behind them. */
  networks?: readonly InterfaceNetwork[] | undefined;
}

/** A network behind an interface of a firewall. */
export interface InterfaceNetwork {
  interface: string;
  network: string;
}

export const nothingSeen: Seen = { addresses: {}, callers: [] };

/** The addresses of a firewall changed: it was moved, or an attacker has taken it over. */
export interface AddressChange {
  firewall: string;
  at: number;
  added: readonly string[];
  removed: readonly string[];
  isTold: boolean;
}

/**
 * Addresses that no rule on a firewall can mean, whatever the alarm says. Written out, not parsed: an IPv4 alarm
 * need not load the IPv6 parser.
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

/** The sentence that says why a flow is refused, or undefined if it may be blocked. */
export function findRefusal(flow: Flow, policy: Policy): string | undefined {
  if (!policy.types.includes(flow.type)) {
    return `refused: type "${flow.type}" is not among policy.types (${policy.types.join(', ')})`;
  }
  return (
    findProtection(toAddress(flow.source), policy, 'source') ??
    findProtection(toAddress(flow.destination), policy, 'destination')
  );
}

/**
 * The same for one address or network, as this end or as either: checks what it contains, what contains it, and IPv4
 * addresses it embeds.
 */
export function findProtection(
  address: Address,
  { protections, nat64 = [] }: Pick<Policy, 'protections' | 'nat64'>,
  end?: End,
): string | undefined {
  const counts = (protection: Protection): boolean =>
    end === undefined || protection.end === undefined || protection.end === end;
  for (const each of [address, ...embeddedAddresses(address, nat64)]) {
    const found = protections.find((protection) => counts(protection) && overlaps(protection.address, each));
    if (found !== undefined) return `refused: ${describe(address, each, found)}`;
  }
  return undefined;
}

function describe(requested: Address, matched: Address, { address, reason, isListed = false }: Protection): string {
  const steps = [
    ...(requested === matched ? [] : [`embeds ${matched.text}`]),
    ...(contains(address, matched) ? [] : [`contains ${address.text}`]),
  ];
  const via = steps.length === 0 ? '' : ` ${steps.join(', which ')}, which`;
  return `${requested.text}${via} is ${reason}${isListed ? '' : ' (protected always)'}`;
}
