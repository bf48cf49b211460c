import { findListedAlarms } from './alarms.js';
import type { NotifyContext } from './channel.js';
import { isSubscribed } from './index.js';
import { notify } from './notify.js';

/** How long before its end a block is reported if no mail is configured. */
const defaultNoticeMs = 24 * 3_600_000;

/** Reports long blocks that end soon, each once for each end, so that someone can extend them. */
export async function notifyEnding(context: NotifyContext): Promise<void> {
  if (!isSubscribed('expiry', context)) return;
  const { config, ledger, host } = context;
  const blocks = await ledger.findEnding(config.mail?.expiry_notice ?? defaultNoticeMs);
  if (blocks.length === 0) return;
  const alarms = await findListedAlarms(blocks, ledger);
  await notify([{ kind: 'expiry', at: await ledger.now(), host, blocks, alarms }], context, (messages) =>
    ledger.markEndingSent(blocks, messages),
  );
}
