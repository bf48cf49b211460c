import { readdirSync, readFileSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import { endianness, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { Address } from '../core/address.js';
import type { Protection } from '../core/policy.js';

/** Where the system lists the addresses that this host depends on: small files, no programs. */
export interface HostSources {
  interfaces: () => NodeJS.Dict<{ address: string }[]>;
  read: (file: string) => string;
  /** The files of a folder; empty if there is no such folder. */
  list: (folder: string) => string[];
  environment: NodeJS.ProcessEnv;
}

const defaultSources: HostSources = {
  interfaces: networkInterfaces,
  read: (file) => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return ''; // not Linux, or not readable: the configuration has to list the addresses
    }
  },
  list: (folder) => {
    try {
      return readdirSync(folder).map((name) => join(folder, name));
    } catch {
      return []; // as above
    }
  },
  environment: process.env,
};

/** A process that runs for months must notice a new address and who has logged in. */
const freshMs = 5000;

let known: { protections: readonly Protection[]; readAt: number } | undefined;

/** The result of `readThisHost`, a few seconds old at most: an alarm asks once per firewall, a list thousands of times. */
export function findThisHost(now = performance.now(), sources = defaultSources): readonly Protection[] {
  if (known === undefined || now - known.readAt > freshMs) known = { protections: readThisHost(sources), readAt: now };
  return known.protections;
}

/** The addresses that this host depends on: its own, its gateways and resolvers, and the clients of its sshd. */
export function readThisHost(sources: HostSources): Protection[] {
  const { interfaces, read, environment } = sources;
  const [client = ''] = (environment['SSH_CLIENT'] ?? '').split(' ');
  return [
    ...findGateways(read('/proc/self/net/route'), read('/proc/self/net/ipv6_route')).map(
      protect("this host's default gateway"),
    ),
    ...findResolvers(read('/etc/resolv.conf')).map(protect("this host's resolver")),
    ...toAddresses([client]).map(protect('the SSH client of this session')),
    ...findLoggedIn(sources).map(protect('connected to the sshd of this host')),
    ...toAddresses(
      Object.values(interfaces())
        .flatMap((all) => all ?? [])
        .map(({ address }) => address),
    ).map(protect("this host's own address")),
  ];
}

const protect =
  (reason: string) =>
  (address: Address): Protection => ({ address, reason });

/** `fe80::1%eth0` loses its zone, `::ffff:192.0.2.1` its wrapping. Not parsed further: see `alwaysProtected`. */
function toAddresses(texts: readonly string[]): Address[] {
  return texts.flatMap((text): Address[] => {
    const bare = text.replace(/%.*/, '').replace(/^::ffff:(?=\d+\.)/i, '');
    if (isIPv4(bare)) return [{ text: bare, family: 'inet', prefix: 32 }];
    return isIPv6(bare) ? [{ text: bare, family: 'inet6', prefix: 128 }] : []; // overlaps() reads any spelling
  });
}

/** The kernel writes IPv4 addresses as one number of this machine's byte order, IPv6 ones as 32 digits. */
function findGateways(routes: string, routes6: string): Address[] {
  const ipv4 = routes
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([, destination, gateway]) => destination === '00000000' && /^[0-9A-F]{8}$/.test(gateway ?? ''))
    .map(([, , gateway = '']) => (gateway.match(/../g) ?? []).map((byte) => parseInt(byte, 16)))
    .map((bytes) => (endianness() === 'LE' ? bytes.reverse() : bytes).join('.'));
  const ipv6 = routes6
    .split('\n')
    .map((line) => line.trim().split(/ +/))
    .filter(([destination, length]) => length === '00' && /^0{32}$/.test(destination ?? ''))
    .map(([, , , , gateway = '']) => (gateway.match(/..../g) ?? []).join(':'));
  return toAddresses([...ipv4, ...ipv6]).filter(({ text }) => !/^[0.:]+$/.test(text));
}

/** The peers of this host's sshd: an administrator, or a SIEM that sends an alarm. */
function findLoggedIn({ read, list, environment }: HostSources): Address[] {
  const configs = ['/etc/ssh/sshd_config', ...list('/etc/ssh/sshd_config.d').filter((name) => name.endsWith('.conf'))];
  const ports = new Set([
    22,
    Number((environment['SSH_CONNECTION'] ?? '').split(' ')[3]),
    ...configs.map(read).flatMap(findPorts),
  ]);
  const peers = ['/proc/self/net/tcp', '/proc/self/net/tcp6'].map(read).flatMap((table) =>
    table
      .split('\n')
      .map((line) => line.trim().split(/ +/))
      .filter(([, local = '', , state]) => state === established && ports.has(parseInt(local.split(':')[1] ?? '', 16)))
      .map(([, , remote = '']) => readHexAddress(remote.split(':')[0] ?? '')),
  );
  return toAddresses([...new Set(peers)]);
}

const established = '01';

const findPorts = (config: string): number[] =>
  [...config.matchAll(/^[ \t]*(?:Port[ \t]+|ListenAddress[ \t]+\S{0,100}:)(\d{1,5})[ \t]*$/gim)].map(([, port]) =>
    Number(port),
  );

/** The kernel writes each 32 bits as one number of this machine's byte order. */
function readHexAddress(hex: string): string {
  const words = (hex.match(/.{8}/g) ?? []).map((word) => (word.match(/../g) ?? []).map((byte) => parseInt(byte, 16)));
  const bytes = words.flatMap((word) => (endianness() === 'LE' ? word.reverse() : word));
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return '';
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  if (isMapped) return bytes.slice(12).join('.');
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((bytes[2 * at] ?? 0) * 256 + (bytes[2 * at + 1] ?? 0)).toString(16),
  );
  return groups.join(':');
}

const findResolvers = (text: string): Address[] =>
  toAddresses(
    text
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .flatMap(([word, address = '']) => (word === 'nameserver' ? [address] : [])),
  );
