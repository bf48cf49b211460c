import { ulid } from 'ulid';
import type { Config } from '../config/schema.js';
import type { Ledger } from '../ledger/ledger.js';
import { renderHeldMail } from '../report/held-mail.js';
import { openLog } from '../runtime/logger.js';

/** Puts a mail into the outbox that asks for approval. */
export async function reportHeld(config: Config, ledger: Ledger, tell: (message: string) => void): Promise<void> {
  const log = openLog(config.log, tell);
  const storm = await ledger.findStorm();
  log.warn('blocks are held', storm);
  const content = { ...renderHeldMail(storm, config.policy.limits) };
  await ledger.queueMessage({ id: ulid(), kind: 'held', content });
  await log.close();
}
