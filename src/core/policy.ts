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
}

const protect = (text: string, reason: string): Protection => ({ address: toAddress(text), reason });

function toAddress(text: string): Address {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new Error(`not an address: ${text}`);
  return parsed.address;
}

/** Addresses that no rule on a firewall can mean, whatever the alarm says. */
export const alwaysProtected: readonly Protection[] = [
  protect('0.0.0.0/8', 'not a host: "this network"'),
  protect('127.0.0.0/8', 'loopback'),
  protect('169.254.0.0/16', 'link-local'),
  protect('224.0.0.0/4', 'multicast'),
  protect('255.255.255.255', 'broadcast'),
  protect('::', 'not a host: the unspecified address'),
  protect('::1', 'loopback'),
  protect('fe80::/10', 'link-local'),
  protect('ff00::/8', 'multicast'),
];

/** The sentence that says why a flow is refused, or undefined where it may be blocked. */
export function findRefusal(flow: Flow, policy: Policy): string | undefined {
  if (!policy.types.includes(flow.type)) {
    return `refused: type "${flow.type}" is not among policy.types (${policy.types.join(', ')})`;
  }
  return (
    findProtection(toAddress(flow.source), policy.protections) ??
    findProtection(toAddress(flow.destination), policy.protections)
  );
}

/** The same for one address or network: what lies in it, around it, or in an IPv4 address that it carries. */
export function findProtection(address: Address, protections: readonly Protection[]): string | undefined {
  for (const each of [address, ...embeddedAddresses(address)]) {
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
