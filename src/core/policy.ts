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

/** Addresses that no rule on a firewall can mean, whatever the alarm says. */
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

const toAddress = (text: string): Address => {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new Error(`not an address: ${text}`);
  return parsed.address;
};

/** The sentence that says why a flow is refused, or undefined where it may be blocked. */
export function findRefusal(flow: Flow, policy: Policy): string | undefined {
  if (!policy.types.includes(flow.type)) {
    return `refused: type "${flow.type}" is not among policy.types (${policy.types.join(', ')})`;
  }
  for (const end of [flow.source, flow.destination]) {
    const address = toAddress(end);
    const protection = policy.protections.find((each) => overlaps(each.address, address));
    if (protection !== undefined) return `refused: ${end} is ${protection.reason} (never blocked)`;
  }
  return undefined;
}
