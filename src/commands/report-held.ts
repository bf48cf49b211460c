import type { Config } from '../config/schema.js';
import type { Ledger } from '../ledger/ledger.js';
import { renderHeldMail } from '../report/held-mail.js';
import { openLog } from '../runtime/logger.js';
import { findAlarmsOf, toMessage } from './mails.js';

/** Puts a mail into the outbox that asks for approval. */
export async function reportHeld(config: Config, ledger: Ledger, tell: (message: string) => void): Promise<void> {
  const log = openLog(config.log, tell);
  const figures = await ledger.findStorm();
  log.warn('blocks are held', figures);
  const blocks = await ledger.findBlocks({ states: ['held'] });
  const held = { figures, limits: config.policy.limits, blocks, alarms: await findAlarmsOf(blocks, ledger) };
  await ledger.queueMessage(await toMessage('held', { config, tell }, (setting) => renderHeldMail(held, setting)));
  await log.close();
}
