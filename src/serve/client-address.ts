import { contains, isHost, parseAddress, type Address } from '../core/address.js';

/** An address as sockets and proxies write it, in canonical spelling; undefined if it is not one. */
function toHost(text: string): Address | undefined {
  const bare = text
    .trim()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/^::ffff:(?=\d+\.)/i, '')
    .split('%')[0];
  const parsed = parseAddress(bare ?? '');
  return parsed.ok && isHost(parsed.address) ? parsed.address : undefined;
}

/** Whether the address at the other end of a connection is that of a trusted proxy. */
export function isTrustedProxy(peer: string, trusted: readonly Address[]): boolean {
  const address = toHost(peer);
  return address !== undefined && trusted.some((proxy) => contains(proxy, address));
}

/**
 * The caller's address: the last one in `X-Forwarded-For` that is not a trusted proxy's, as far as each was written by
 * a trusted proxy.
 */
export function findClient(peer: string, forwarded: string | undefined, trusted: readonly Address[]): string {
  let client = toHost(peer);
  const isTrusted = (address: Address): boolean => trusted.some((proxy) => contains(proxy, address));
  for (const text of (forwarded ?? '').split(',').reverse()) {
    if (client === undefined || !isTrusted(client)) break;
    const before = toHost(text);
    if (before === undefined) break;
    client = before;
  }
  return client?.text ?? 'unknown';
}
