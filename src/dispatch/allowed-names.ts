import { parseAddress } from '../core/address.js';
import type { Allowance } from '../core/allowance.js';
import type { Ledger } from '../ledger/ledger.js';
import { resolveName } from '../runtime/resolve-name.js';

/** The most host names that may be on the allowlist: each run resolves them all. */
export const maxNames = 32;

export const isName = ({ address }: Allowance): boolean => !parseAddress(address).ok;

/** Resolves the allowlist's names at the same time. One that does not resolve keeps its last addresses. */
export async function refreshNames(
  ledger: Pick<Ledger, 'findSeen' | 'recordResolved'>,
  resolve: typeof resolveName = resolveName,
): Promise<void> {
  const { allowances = [] } = await ledger.findSeen();
  await Promise.all(
    allowances.filter(isName).map(async ({ address, resolved }) => {
      const now = await resolve(address);
      if (now.length > 0 && now.join() !== resolved.join()) await ledger.recordResolved(address, now);
    }),
  );
}
