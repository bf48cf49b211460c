import { readFileSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import { endianness, networkInterfaces } from 'node:os';
import type { Address } from '../core/address.js';
import type { Protection } from '../core/policy.js';

/** Where the system says what this host needs. Read at each start: small files, no program is called. */
export interface HostSources {
  interfaces: () => NodeJS.Dict<{ address: string }[]>;
  read: (file: string) => string;
  environment: NodeJS.ProcessEnv;
}

const here: HostSources = {
  interfaces: networkInterfaces,
  read: (file) => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return ''; // not Linux, or hidden from us: then the configuration has to name it
    }
  },
  environment: process.env,
};

/** What this host cannot do without: its own addresses, its way out, its resolvers, and who is logged in to it. */
export function findThisHost({ interfaces, read, environment }: HostSources = here): Protection[] {
  const [client = ''] = (environment['SSH_CLIENT'] ?? '').split(' ');
  return [
    ...findGateways(read('/proc/net/route'), read('/proc/net/ipv6_route')).map(as("this host's default gateway")),
    ...findResolvers(read('/etc/resolv.conf')).map(as("this host's resolver")),
    ...toAddresses([client]).map(as('the SSH client that calls us')),
    ...toAddresses(
      Object.values(interfaces())
        .flatMap((all) => all ?? [])
        .map(({ address }) => address),
    ).map(as("this host's own address")),
  ];
}

const as =
  (reason: string) =>
  (address: Address): Protection => ({ address, reason });

/** `fe80::1%eth0` loses its zone, `::ffff:192.0.2.1` its wrapping. Not parsed further: see `alwaysProtected`. */
function toAddresses(texts: readonly string[]): Address[] {
  return texts.flatMap((text): Address[] => {
    const bare = text.replace(/%.*/, '').replace(/^::ffff:(?=\d+\.)/i, '');
    if (isIPv4(bare)) return [{ text: bare, family: 'inet', prefix: 32 }];
    return isIPv6(bare) ? [{ text: bare, family: 'inet6', prefix: 128 }] : [];
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

const findResolvers = (text: string): Address[] =>
  toAddresses([...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, address = '']) => address));
