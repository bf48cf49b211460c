import { cleanDescription } from '../core/description.js';
import { formatLocal } from '../core/local-time.js';
import type { Freeze } from '../ledger/ledger.js';
import type { App } from '../runtime/app.js';
import { saveKnown } from './fallback.js';

/** Stops all changes on all firewalls. A run in progress ends first; alarms and releases are queued meanwhile. */
export async function freeze(reason: string, app: App): Promise<Freeze | undefined> {
  await app.ledger.freeze(cleanDescription(reason), app.actor);
  await saveKnown(app);
  return app.ledger.findFreeze();
}

/** Resumes changes. @returns the freeze that this ended; undefined if nothing was frozen */
export async function unfreeze(app: App): Promise<Freeze | undefined> {
  const freeze = await app.ledger.findFreeze();
  const wasFrozen = await app.ledger.unfreeze();
  await saveKnown(app);
  return wasFrozen ? freeze : undefined;
}

export const describeFreeze = ({ at, by, reason }: Freeze): string =>
  `all changes have been frozen since ${describeBegin({ at, by, reason })}`;

/** When a freeze began, who began it, and why. */
export const describeBegin = ({ at, by, reason }: Freeze): string =>
  `${formatLocal(at)} by ${by}${reason === '' ? '' : ` (${reason})`}`;
