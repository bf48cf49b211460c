import { randomBytes } from 'node:crypto';
import type { Block } from '../core/block.js';
import { hashToken } from '../core/token.js';
import { findListedAlarms } from './alarms.js';
import type { NotifyContext } from './channel.js';
import { isSubscribed, openChannels } from './index.js';
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
  const links = await makeLinks(blocks, context);
  await notify([{ kind: 'held', at: await ledger.now(), host, load, limits, blocks, alarms, links }], context);
}

/** For each channel a link by which its recipients decide on these blocks, once and while they are held. */
async function makeLinks(blocks: readonly Block[], context: NotifyContext): Promise<Record<string, string>> {
  const { config, ledger } = context;
  const { enabled, url } = config.serve.page;
  const links: Record<string, string> = {};
  if (!enabled || url === undefined) return links;
  for (const channel of openChannels(context).filter((each) => each.accepts('held'))) {
    const secret = randomBytes(32).toString('base64url');
    await ledger.addDecisionLink({
      hash: hashToken(secret),
      blocks: blocks.map(({ id }) => id),
      sentBy: `${channel.name} to ${await channel.describeTarget()}`,
      forMs: config.policy.limits.hold_for,
    });
    links[channel.name] = new URL(`/decide/${secret}`, url).href;
  }
  return links;
}
