import type { CommandContext } from './result.js';
import type { OpenLedger } from './session.js';
import { isTold } from './ways.js';

/**
 * Tells once of all that is held, when it begins. The message is kept before the run, so that it is not lost with a
 * launcher that is ended; it is sent together with what the run leaves to tell.
 */
export async function tellHeld({ config, ledger }: OpenLedger, { tell }: CommandContext): Promise<void> {
  if (!isTold('held', config)) return;
  const { reportHeld } = await import('./report-held.js');
  await reportHeld(config, ledger, tell);
}
