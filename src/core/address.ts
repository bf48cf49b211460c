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

/** Where IPv6 carries an IPv4 address: behind which network, at which byte, and whether turned over bit by bit. */
const carriers: readonly { network: Address; at: number; turned: boolean }[] = [
  { network: { text: '::ffff:0:0/96', family: 'inet6', prefix: 96 }, at: 12, turned: false }, // IPv4-mapped
  { network: { text: '2002::/16', family: 'inet6', prefix: 16 }, at: 2, turned: false }, // 6to4
  { network: { text: '64:ff9b::/96', family: 'inet6', prefix: 96 }, at: 12, turned: false }, // NAT64
  { network: { text: '2001::/32', family: 'inet6', prefix: 32 }, at: 4, turned: false }, // Teredo, its server
  { network: { text: '2001::/32', family: 'inet6', prefix: 32 }, at: 12, turned: true }, // Teredo, the host
];

/** The IPv4 addresses or networks that reach the same host by another way: IPv4-mapped, 6to4, NAT64, Teredo. */
export function embeddedAddresses(address: Address): Address[] {
  if (address.family === 'inet') return [];
  return carriers
    .filter(({ network }) => overlaps(network, address))
    .map(({ at, turned }) => {
      const bytes = bareAddress(address).toByteArray();
      const inner = bytes.slice(at, at + 4).map((byte) => (turned ? byte ^ 0xff : byte));
      const prefix = Math.min(32, Math.max(0, address.prefix - at * 8));
      const network = networkOf(ipaddr.fromByteArray(inner), prefix);
      return { text: prefix === 32 ? network : `${network}/${prefix}`, family: 'inet', prefix };
    });
}

/**
 * Reads `a-b`, both ends included, as the networks that make it up; one address or network as itself.
 * @returns why not, where it is none of these
 */
export function parseRange(text: string): { ok: true; networks: Address[] } | { ok: false; message: string } {
  const ends = text.split('-');
  if (ends.length === 1) {
    const parsed = parseAddress(text);
    return parsed.ok ? { ok: true, networks: [parsed.address] } : parsed;
  }
  const [first, last] = ends.map((end) => parseAddress(end.trim()));
  if (first === undefined || last === undefined || ends.length > 2) {
    return { ok: false, message: `expected a range such as 192.0.2.10-192.0.2.20, got ${quoteBack(text)}` };
  }
  if (!first.ok) return first;
  if (!last.ok) return last;
  const bits = hostBits[first.address.family];
  const isRange =
    first.address.family === last.address.family && first.address.prefix === bits && last.address.prefix === bits;
  const [from, to] = [toNumber(first.address), toNumber(last.address)];
  if (!isRange || from > to) {
    return { ok: false, message: `expected two addresses of one family, the lower first, got ${quoteBack(text)}` };
  }
  return { ok: true, networks: [...coverRange(from, to, first.address.family)] };
}

const toNumber = (address: Address): bigint =>
  bareAddress(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);

/** The fewest networks that hold the range: each as large as its first address and the end allow. */
function* coverRange(from: bigint, to: bigint, family: Address['family']): Generator<Address> {
  const bits = hostBits[family];
  for (let start = from; start <= to;) {
    let free = 0;
    while (free < bits && start % (1n << BigInt(free + 1)) === 0n && start + (1n << BigInt(free + 1)) - 1n <= to) {
      free += 1;
    }
    const bytes = Array.from({ length: bits / 8 }, (_, index) =>
      Number((start >> BigInt(bits - 8 - index * 8)) & 255n),
    );
    const text = ipaddr.fromByteArray(bytes).toString();
    yield { text: free === 0 ? text : `${text}/${bits - free}`, family, prefix: bits - free };
    start += 1n << BigInt(free);
  }
}
