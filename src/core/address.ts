import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { quoteBack } from './errors.js';

/** An address or network in its canonical spelling: the identity of a flow depends on it. */
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
 * Parses one address or CIDR from a SIEM or a person.
 * An IPv6 address may be in brackets, as in a URL. Refuses what pfSense would drop silently (host names, leading zeros, zones) and says how to write it.
 */
export function parseAddress(text: string): ParsedAddress {
  if (isIPv4(text)) return { ok: true, address: { text, family: 'inet', prefix: 32 } }; // it has only one spelling
  const refuse = (message: string): ParsedAddress => ({ ok: false, message });
  const [given = '', length, ...rest] = text.split('/');
  const host = /^\[([0-9A-Fa-f:.]+)\]$/.exec(given)?.[1] ?? given;
  if (rest.length > 0) return refuse(`expected an address or address/length, got ${quoteBack(text)}`);
  if (host.includes('%')) return refuse(`expected an address without a zone, got ${quoteBack(text)}; remove the "%…"`);
  if (!isIPv6(host) && (host !== given || !isIPv4(host))) return refuse(explainNotAnAddress(given));

  const parsed = ipaddr.parse(host);
  if (parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress()) return readMapped(parsed, length, text);
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

/** `::ffff:203.0.113.7` is what a program with one socket for both families calls 203.0.113.7 (RFC 4291, 2.5.5.2). */
function readMapped(parsed: ipaddr.IPv6, length: string | undefined, text: string): ParsedAddress {
  const inner = parsed.toIPv4Address().toString();
  if (length === undefined) return parseAddress(inner);
  const prefix = parseLength(length, 128);
  if (prefix !== undefined && prefix >= 96) return parseAddress(`${inner}/${prefix - 96}`);
  return { ok: false, message: `expected a prefix length of 96-128, got ${quoteBack(text)}` };
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

function parseLength(text: string, max: number): number | undefined {
  return /^(0|[1-9][0-9]{0,2})$/.test(text) && Number(text) <= max ? Number(text) : undefined;
}

function networkOf(address: ipaddr.IPv4 | ipaddr.IPv6, prefix: number): string {
  const bytes = address.toByteArray().map((byte, index) => {
    const bits = Math.min(8, Math.max(0, prefix - index * 8));
    return byte & (0xff << (8 - bits)) & 0xff;
  });
  return ipaddr.fromByteArray(bytes).toString();
}

/** Is it a single host? */
export const isHost = ({ family, prefix }: Address): boolean => prefix === hostBits[family];

/** Do the two share an address? A prefix overlaps another when one lies in the other. */
export function overlaps(one: Address, other: Address): boolean {
  if (one.family !== other.family) return false;
  const prefix = Math.min(one.prefix, other.prefix);
  if (one.family === 'inet') return (toBits(one) ^ toBits(other)) >>> (32 - prefix) === 0 || prefix === 0;
  return networkOf(bareAddress(one), prefix) === networkOf(bareAddress(other), prefix);
}

/** An IPv4 address as 32 bits: a policy compares thousands of blocks with all that it protects. */
function toBits({ text }: Address): number {
  let [bits, byte] = [0, 0];
  for (let at = 0; at < text.length && text[at] !== '/'; at += 1) {
    if (text[at] === '.') [bits, byte] = [(bits << 8) | byte, 0];
    else byte = byte * 10 + text.charCodeAt(at) - 48;
  }
  return (bits << 8) | byte;
}

const bareAddress = ({ text }: Address): ipaddr.IPv4 | ipaddr.IPv6 => ipaddr.parse(text.split('/')[0] ?? text);

/** Does `network` contain all of `address`? */
export const contains = (network: Address, address: Address): boolean =>
  network.prefix <= address.prefix && overlaps(network, address);

/** Where an IPv6 address embeds an IPv4 one: the positions of its four bytes, and whether their bits are inverted. */
interface Embedding {
  network: Address;
  at: readonly number[];
  inverted?: boolean;
}

const last: readonly number[] = [12, 13, 14, 15];

/** RFC 6052, 2.2: by the length of the prefix. The byte behind the first 64 bits is never part of the address. */
const nat64Places: Readonly<Record<number, readonly number[]>> = {
  32: [4, 5, 6, 7],
  40: [5, 6, 7, 9],
  48: [6, 7, 9, 10],
  56: [7, 9, 10, 11],
  64: [9, 10, 11, 12],
  96: last,
};

/** Prefix lengths that RFC 6052 defines. */
export const nat64Lengths = Object.keys(nat64Places).map(Number);

const inet6 = (text: string, prefix: number): Address => ({ text: `${text}/${prefix}`, family: 'inet6', prefix });

const ipv4Embeddings: readonly Embedding[] = [
  { network: inet6('::ffff:0:0', 96), at: last }, // IPv4-mapped, RFC 4291
  { network: inet6('::', 96), at: last }, // IPv4-compatible, RFC 4291
  { network: inet6('::ffff:0:0:0', 96), at: last }, // SIIT, RFC 2765
  { network: inet6('2002::', 16), at: [2, 3, 4, 5] }, // 6to4, RFC 3056
  { network: inet6('64:ff9b::', 96), at: last }, // NAT64, RFC 6052
  ...nat64Lengths.filter((length) => length >= 48).map((length) => toNat64(inet6('64:ff9b:1::', 48), length)), // RFC 8215
  { network: inet6('2001::', 32), at: [4, 5, 6, 7] }, // Teredo, its server, RFC 4380
  { network: inet6('2001::', 32), at: last, inverted: true }, // Teredo, the host
];

/** The embedding within a prefix, as RFC 6052 lays it out for that length. */
function toNat64(network: Address, length = network.prefix): Embedding {
  return { network, at: nat64Places[length] ?? last };
}

/** ISATAP (RFC 5214, 6.1) is recognised by the interface identifier, in any network: 0000:5efe or 0200:5efe. */
const isIsatap = (bytes: readonly number[]): boolean =>
  (bytes[8] === 0 || bytes[8] === 2) && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;

/**
 * The IPv4 addresses or networks that reach the same host by another route.
 * @param nat64 prefixes of the operator's own
 */
export function embeddedAddresses(address: Address, nat64: readonly Address[] = []): Address[] {
  if (address.family === 'inet') return [];
  const bytes = bareAddress(address).toByteArray();
  const found = [...ipv4Embeddings, ...nat64.map((network) => toNat64(network))]
    .filter(({ network }) => overlaps(network, address))
    .map((place) => readInner(bytes, place, address.prefix));
  const isatap = address.prefix > 96 && isIsatap(bytes) ? [readInner(bytes, { at: last }, address.prefix)] : [];
  return [...found, ...isatap].filter(({ text, prefix }) => prefix < 32 || !text.startsWith('0.')); // not a host address
}

/** The address at these bytes, as wide as the bits of the prefix that cover them. */
function readInner(
  bytes: readonly number[],
  { at, inverted = false }: { at: readonly number[]; inverted?: boolean },
  prefix: number,
): Address {
  const inner = at.map((place) => (inverted ? (bytes[place] ?? 0) ^ 0xff : (bytes[place] ?? 0)));
  const bits = at.reduce((sum, place) => sum + Math.min(8, Math.max(0, prefix - place * 8)), 0);
  const network = networkOf(ipaddr.fromByteArray(inner), bits);
  return { text: bits === 32 ? network : `${network}/${bits}`, family: 'inet', prefix: bits };
}

/** How a range is divided: into networks of at least these prefix lengths, and no more than `parts` of them. */
export interface Division {
  widest: Readonly<Record<Address['family'], number>>;
  parts: number;
}

/**
 * Parses `a-b`, both ends included, as the networks that make it up; a single address or network as itself.
 * @returns a message if it is none of these
 */
export function parseRange(
  text: string,
  { widest, parts }: Division = { widest: { inet: 0, inet6: 0 }, parts: Infinity },
): { ok: true; networks: Address[] } | { ok: false; message: string } {
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
  const networks: Address[] = [];
  for (const network of coverRange({ from, to, family: first.address.family, widest })) {
    if (networks.length === parts)
      return { ok: false, message: `${text} makes more than ${parts} blocks: list networks` };
    networks.push(network);
  }
  return { ok: true, networks };
}

interface Range extends Pick<Division, 'widest'> {
  from: bigint;
  to: bigint;
  family: Address['family'];
}

const toNumber = (address: Address): bigint =>
  bareAddress(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);

/** The fewest networks that cover the range: each as large as its first address and the end allow. */
function* coverRange({ from, to, family, widest }: Range): Generator<Address> {
  const bits = hostBits[family];
  const most = bits - widest[family];
  for (let start = from; start <= to;) {
    let free = 0;
    while (free < most && start % (1n << BigInt(free + 1)) === 0n && start + (1n << BigInt(free + 1)) - 1n <= to) {
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
