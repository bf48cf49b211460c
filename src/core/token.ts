import { createHash } from 'node:crypto';
import { contains, parseAddress } from './address.js';

/** What the bearer of a token may do: post alarms; read; or both, and decide on blocks. */
export const tokenScopes = ['alarm', 'read', 'operate'] as const;
export type TokenScope = (typeof tokenScopes)[number];

/** Only the hash is stored: a reader of the ledger cannot use the token. 256 random bits need no slow hash. */
export const hashToken = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** A token, without its secret. Times are milliseconds since the epoch. */
export interface Token {
  name: string;
  scope: TokenScope;
  /** Only alarms of this source; null: of any. */
  source: string | null;
  /** Only from these networks; empty: from anywhere. */
  networks: readonly string[];
  createdAt: number;
  by: string;
  /** Null: never. */
  expiresAt: number | null;
}

export const permits = (granted: TokenScope, needed: TokenScope): boolean =>
  granted === needed || granted === 'operate';

/** Whether the token may be used from this address. */
export function isFromNetwork({ networks }: Pick<Token, 'networks'>, address: string): boolean {
  if (networks.length === 0) return true;
  const caller = parseAddress(address);
  return (
    caller.ok &&
    networks.some((text) => {
      const network = parseAddress(text);
      return network.ok && contains(network.address, caller.address);
    })
  );
}
