import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { quoteBack } from './errors.js';

/** An address or network in its one canonical spelling: the identity of a flow depends on it. */
export interface Address {
  /** `203.0.113.7`, `2001:db8::7`, or with `/length` when it is not a single host. */
  text: string;
  family: 'inet' | 'inet6';
  /** Prefix length in bits: 32 or 128 for a single host. */
  prefix: number;
}

export type ParsedAddress = { ok: true; address: Address } | { ok: false; message: string };

const hostBits = { inet: 32, inet6: 128 } as const;

/**
 * Reads one address or CIDR as it came from a SIEM or a person.
 * Refuses what pfSense would drop in silence (host names, leading zeros, zones) and says how to write it.
 */
export function parseAddress(text: string): ParsedAddress {
  const refuse = (message: string): ParsedAddress => ({ ok: false, message });
  const [host = '', length, ...rest] = text.split('/');
  if (rest.length > 0) return refuse(`expected an address or address/length, got ${quoteBack(text)}`);
  if (host.includes('%')) return refuse(`a zone has no meaning on the firewall: got ${quoteBack(text)}, drop the "%…"`);
  if (!isIPv4(host) && !isIPv6(host)) return refuse(explainNotAnAddress(host));

  const parsed = ipaddr.parse(host);
  if (parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress()) {
    return refuse(`${host} is an IPv4 address in IPv6 spelling: give ${parsed.toIPv4Address().toString()}`);
  }
  const family = parsed.kind() === 'ipv4' ? 'inet' : 'inet6';
  const prefix = length === undefined ? hostBits[family] : parseLength(length, hostBits[family]);
  if (prefix === undefined) {
    return refuse(`expected a prefix length of 0-${hostBits[family]}, got ${quoteBack(text)}`);
  }
  if (prefix === hostBits[family]) {
    return { ok: true, address: { text: parsed.toString(), family, prefix } };
  }
  const network = networkOf(parsed, prefix);
  if (network !== parsed.toString()) {
    return refuse(`${text} has host bits set: give ${parsed.toString()} for the host or ${network}/${prefix}`);
  }
  return { ok: true, address: { text: `${network}/${prefix}`, family, prefix } };
}

function explainNotAnAddress(host: string): string {
  if (/^[0-9.]+$/.test(host) && /(^|\.)0[0-9]/.test(host)) {
    return `leading zeros are ambiguous (octal?): got ${quoteBack(host)}`;
  }
  if (/^[A-Za-z][A-Za-z0-9-]*(\.[A-Za-z0-9-]+)*$/.test(host)) {
    return `expected an IP address, got the name ${quoteBack(host)}: a firewall rule needs the address itself`;
  }
  return `expected an IPv4 or IPv6 address, got ${quoteBack(host)}`;
}

function parseLength(text: string, most: number): number | undefined {
  return /^(0|[1-9][0-9]{0,2})$/.test(text) && Number(text) <= most ? Number(text) : undefined;
}

function networkOf(address: ipaddr.IPv4 | ipaddr.IPv6, prefix: number): string {
  const bytes = address.toByteArray().map((byte, index) => {
    const bits = Math.min(8, Math.max(0, prefix - index * 8));
    return byte & (0xff << (8 - bits)) & 0xff;
  });
  return ipaddr.fromByteArray(bytes).toString();
}

/** Do the two share an address? A prefix overlaps another when one lies in the other. */
export function overlaps(one: Address, other: Address): boolean {
  if (one.family !== other.family) return false;
  const prefix = Math.min(one.prefix, other.prefix);
  return networkOf(bareAddress(one), prefix) === networkOf(bareAddress(other), prefix);
}

const bareAddress = ({ text }: Address): ipaddr.IPv4 | ipaddr.IPv6 => ipaddr.parse(text.split('/')[0] ?? text);

/** Does `network` hold all of `address`? */
export const contains = (network: Address, address: Address): boolean =>
  network.prefix <= address.prefix && overlaps(network, address);
