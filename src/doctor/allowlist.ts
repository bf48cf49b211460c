import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ok, warn, type Check } from '../core/check.js';
import { FirebreakError } from '../core/errors.js';
import { isName } from '../dispatch/allowed-names.js';
import { openLedger } from '../ledger/index.js';
import { resolveName } from '../runtime/resolve-name.js';
import { count } from '../views/count.js';

/** Warns of names on the allowlist that do not resolve now; empty if the allowlist is empty. */
export async function checkAllowlist(stateDir: string): Promise<Check[]> {
  const file = join(stateDir, 'ledger.db');
  if (!existsSync(file)) return [];
  try {
    const ledger = await openLedger({ file });
    const all = await ledger.findAllowances().finally(() => ledger.close());
    const entries = all.filter(({ kind }) => kind === 'allow');
    const names = await Promise.all(
      entries.filter(isName).map(async (entry) => ({ entry, isThere: (await resolveName(entry.address)).length > 0 })),
    );
    const lost = names.filter(({ isThere }) => !isThere).map(({ entry }) => entry);
    if (lost.length > 0) {
      const list = lost.map(({ address, resolved }) => `${address} (last ${resolved.join(', ')})`).join(', ');
      return [warn('allowlist', `not in DNS, so the last addresses stay allowed: ${list}`, howToRemove)];
    }
    return entries.length === 0
      ? []
      : [
          ok(
            'allowlist',
            `${count(entries.length, 'entry', 'entries')}, ${count(names.length, 'host name')} among them`,
          ),
        ];
  } catch (error) {
    if (error instanceof FirebreakError) return []; // the check of the ledger reports the problem
    throw error;
  }
}

const howToRemove = 'remove a name that is gone with firebreak disallow NAME';
