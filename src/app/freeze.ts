import { cleanDescription } from '../core/description.js';
import { findOrigin } from '../intake/origin.js';
import { drain } from './drain.js';
import { keepKnown } from './fallback.js';
import { describeFreeze } from './requests.js';
import type { CommandContext, CommandResult } from './result.js';
import { withLedger } from './context.js';

/** Stops all changes on all firewalls. A run under way ends first; alarms and releases are kept meanwhile. */
export async function freeze(reason: string, context: CommandContext): Promise<CommandResult> {
  return withLedger(context, async ({ config, ledger }) => {
    await ledger.freeze(cleanDescription(reason), findOrigin());
    await keepKnown(config, ledger);
    const frozen = await ledger.findFreeze();
    const text = frozen === undefined ? 'somebody unfroze at once' : describeFreeze(frozen);
    return { exit: 0, text: `${text}; firebreak unfreeze goes on`, json: { frozen: frozen ?? null } };
  });
}

/** Lets changes go on, and carries what was kept meanwhile. */
export async function unfreeze(context: CommandContext): Promise<CommandResult> {
  const wasFrozen = await withLedger(context, async ({ config, ledger }) => {
    const was = await ledger.unfreeze();
    await keepKnown(config, ledger);
    return was;
  });
  if (!wasFrozen) return { exit: 0, text: 'nothing was frozen', json: { blocks: [] } };
  return drain({ expire: false }, context);
}
