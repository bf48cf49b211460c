import { hostname } from 'node:os';
import type { Config } from '../config/schema.js';
import type { Ledger } from '../ledger/ledger.js';
import { renderHeldMail } from '../report/held-mail.js';
import { heldEvent } from '../report/webhook-event.js';
import { openLog } from '../runtime/logger.js';
import { findAlarmsOf, toMessage } from './mails.js';
import { forWebhook } from './ways.js';

/** Puts what asks for approval into the outbox. */
export async function reportHeld(config: Config, ledger: Ledger, tell: (message: string) => void): Promise<void> {
  const log = openLog(config.log, tell);
  const figures = await ledger.findStorm();
  log.warn('blocks are held', figures);
  if (config.mail?.on.includes('held') === true) {
    const blocks = await ledger.findBlocks({ states: ['held'] });
    const held = { figures, limits: config.policy.limits, blocks, alarms: await findAlarmsOf(blocks, ledger) };
    await ledger.queueMessage(await toMessage('held', { config, tell }, (setting) => renderHeldMail(held, setting)));
  }
  const where = { host: hostname(), now: ledger.now() };
  for (const message of forWebhook(config, () => heldEvent(where, figures))) await ledger.queueMessage(message);
  await log.close();
}
