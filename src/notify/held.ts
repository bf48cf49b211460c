import { hostname } from 'node:os';
import type { Config } from '../config/schema.js';
import type { Ledger } from '../ledger/ledger.js';
import { heldEvent } from './webhook/webhook-event.js';
import { findAlarmsOf, toMessage } from './mail/compose.js';
import { forWebhook, isTold } from './channels.js';

/**
 * Tells once of all that is held, when it begins. The message is kept before the run, so that it is not lost with a
 * launcher that is ended; it is sent together with what the run leaves to tell.
 */
export async function tellHeld(config: Config, ledger: Ledger, tell: (message: string) => void): Promise<void> {
  if (isTold('held', config)) await queueHeld(config, ledger, tell);
}

/** Puts what asks for approval into the outbox. */
async function queueHeld(config: Config, ledger: Ledger, tell: (message: string) => void): Promise<void> {
  const [{ renderHeldMail }, { openLog }] = await Promise.all([
    import('./mail/held-mail.js'),
    import('../runtime/logger.js'),
  ]);
  const log = openLog(config.log, tell);
  const figures = await ledger.loadStats();
  const { enforced: standing, ...others } = figures;
  log.warn('blocks are held', { ...others, standing });
  if (config.mail?.on.includes('held') === true) {
    const blocks = await ledger.findBlocks({ states: ['held'] });
    const held = { figures, limits: config.policy.limits, blocks, alarms: await findAlarmsOf(blocks, ledger) };
    await ledger.queueMessage(await toMessage('held', { config, tell }, (setting) => renderHeldMail(held, setting)));
  }
  const where = { host: hostname(), now: await ledger.now() };
  for (const message of forWebhook(config, () => heldEvent(where, figures))) await ledger.queueMessage(message);
  await log.close();
}
