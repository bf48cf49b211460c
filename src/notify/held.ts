import { findListedAlarms } from './alarms.js';
import type { NotifyContext } from './channel.js';
import { isSubscribed } from './index.js';
import { notify } from './notify.js';

/**
 * Notifies once of all held blocks, when the first one is held. The message is stored before the run, so that it survives
 * a launcher that is stopped; it is sent together with the messages of the run.
 */
export async function notifyHeld(context: NotifyContext): Promise<void> {
  if (!isSubscribed('held', context)) return;
  const { config, ledger, host } = context;
  const log = await context.openLog();
  const load = await ledger.loadStats();
  const { enforced, ...rest } = load;
  log.warn('blocks are held', { ...rest, standing: enforced }); // the log's field name since release 0.1
  const blocks = await ledger.findBlocks({ states: ['held'] });
  const alarms = await findListedAlarms(blocks, ledger);
  const { limits } = config.policy;
  await notify([{ kind: 'held', at: await ledger.now(), host, load, limits, blocks, alarms }], context);
}
