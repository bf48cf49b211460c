import { contains, parseAddress } from './address.js';
import type { Flow } from './flow.js';
import { formatLocal } from './local-time.js';

/** An entry of the ledger's allowlist, or the grace time of a source that was released. */
export interface Allowance {
  kind: 'allow' | 'grace';
  /** An address, a network, or a host name. */
  address: string;
  /** Where it applies; empty: on all firewalls. */
  firewall: string;
  /** Null: forever. */
  until: number | null;
  reason: string;
  /** Who added it, and when. */
  by: string;
  createdAt: number;
  /** The addresses of a host name when it was resolved last. */
  resolved: readonly string[];
}

export const isHostName = (text: string): boolean =>
  text.length <= 253 &&
  /[A-Za-z]/.test(text) &&
  text.split('.').every((label) => /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$/.test(label));

/** Its addresses: those of the name, or the address itself. */
export const addressesOf = ({ address, resolved }: Allowance): readonly string[] =>
  parseAddress(address).ok ? [address] : resolved;

/** Completes "X is …". @param subject X; the entry is named if it is not X itself */
export const describeAllowance = ({ address, until, reason }: Allowance, subject: string): string => {
  const as = subject === address ? '' : ` as ${address}`;
  const end = until === null ? '' : ` until ${formatLocal(until)}`;
  return `on the allowlist${as}${end}${reason === '' ? '' : ` (${reason})`}`;
};

/** Why a source in its grace time is not blocked again; undefined if it has none on this firewall. */
export function findGrace(
  { source }: Pick<Flow, 'source'>,
  firewall: string,
  allowances: readonly Allowance[] = [],
): string | undefined {
  const parsed = parseAddress(source);
  if (!parsed.ok) return undefined;
  const found = allowances.find((each) => {
    if (each.kind !== 'grace' || (each.firewall !== '' && each.firewall !== firewall)) return false;
    const area = parseAddress(each.address);
    return area.ok && contains(area.address, parsed.address);
  });
  if (found?.until === undefined || found.until === null) return undefined;
  return `refused: ${source} was released with a grace time until ${formatLocal(found.until)}`;
}
