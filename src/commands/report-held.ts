import type { Config, MailConfig } from '../config/schema.js';
import { describeError } from '../core/describe.js';
import type { Ledger } from '../ledger/ledger.js';
import { renderHeldMail } from '../report/held-mail.js';
import { sendMail } from '../report/mail.js';
import { openLog } from '../runtime/logger.js';

/** Asks for approval by mail. A mail that is not taken is logged and told: the blocks stay held all the same. */
export async function reportHeld(
  mail: MailConfig,
  config: Config,
  ledger: Ledger,
  tell: (message: string) => void,
): Promise<void> {
  const log = openLog(config.log, tell);
  const storm = await ledger.findStorm();
  log.warn('blocks are held', storm);
  try {
    await sendMail(mail, renderHeldMail(storm, config.policy.limits));
  } catch (error) {
    const message = `mail not sent to ${mail.to.join(', ')}: ${describeError(error)}`;
    log.error(message);
    tell(message);
  }
  await log.close();
}
