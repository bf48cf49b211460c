import { selectFirewalls } from '../config/select.js';
import type { Block } from '../core/block.js';
import { protectedCause } from '../core/incident.js';
import { refreshNames } from '../dispatch/allowed-names.js';
import { findProtected, type ProtectedBlock } from '../dispatch/find-protected.js';
import { notifyDrift } from '../notify/incidents.js';
import type { App } from '../runtime/app.js';
import { describeDrift } from '../views/drift-view.js';

/** Requests the release of blocks whose address has become protected, or warns of them, as the policy says. */
export async function releaseProtected(app: App): Promise<void> {
  await refreshNames(app.ledger);
  const isReleased = app.config.policy.on_protected === 'release';
  for (const [firewall] of selectFirewalls(app.config, [])) {
    const found = await findProtected(firewall, app);
    for (const each of found) app.warn(`${firewall}: ${describeDrift(each)}${isReleased ? '; releasing it' : ''}`);
    if (isReleased) await releaseAll(found, app);
    await notifyDrift({ firewall, drift: found, isFixed: isReleased, cause: protectedCause }, app);
  }
}

/** Requests their release, each with its reason. */
export async function releaseAll(found: readonly ProtectedBlock[], { ledger }: Pick<App, 'ledger'>): Promise<Block[]> {
  const released: Block[] = [];
  for (const reason of new Set(found.map((each) => each.reason))) {
    const ids = found.filter((each) => each.reason === reason).map(({ block }) => block.id);
    released.push(...(await ledger.release({ ids }, reason)));
  }
  return released;
}
