import { overlaps, parseAddress, type Address } from './address.js';
import type { Flow, RuleType } from './flow.js';

/** An address nobody may block, and the reason in words that finish "X is …". */
export interface Protection {
  address: Address;
  reason: string;
}

export interface Policy {
  protections: Protection[];
  types: readonly RuleType[];
}

const network = (text: string): Address => {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new Error(`not an address: ${text}`);
  return parsed.address;
};

/** Addresses that no rule on a firewall can mean, whatever the alarm says. */
export const alwaysProtected: readonly Protection[] = [
  { address: network('0.0.0.0/8'), reason: 'not a host: "this network"' },
  { address: network('127.0.0.0/8'), reason: 'loopback' },
  { address: network('169.254.0.0/16'), reason: 'link-local' },
  { address: network('224.0.0.0/4'), reason: 'multicast' },
  { address: network('255.255.255.255'), reason: 'broadcast' },
  { address: network('::'), reason: 'not a host: the unspecified address' },
  { address: network('::1'), reason: 'loopback' },
  { address: network('fe80::/10'), reason: 'link-local' },
  { address: network('ff00::/8'), reason: 'multicast' },
];

/** The sentence that says why a flow is refused, or undefined where it may be blocked. */
export function findRefusal(flow: Flow, policy: Policy): string | undefined {
  if (!policy.types.includes(flow.type)) {
    return `refused: type "${flow.type}" is not among policy.types (${policy.types.join(', ')})`;
  }
  for (const end of [flow.source, flow.destination]) {
    const address = network(end);
    const protection = policy.protections.find((each) => overlaps(each.address, address));
    if (protection !== undefined) return `refused: ${end} is ${protection.reason} (never blocked)`;
  }
  return undefined;
}
