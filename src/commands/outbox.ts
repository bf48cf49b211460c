import { ulid } from 'ulid';
import type { Config } from '../config/schema.js';
import { startDrainer } from '../dispatch/drainer.js';
import type { Ledger, QueuedMessage } from '../ledger/ledger.js';
import type { OpenLedger } from './session.js';

/** How long a message is one sender's before another may take it: longer than any conversation with a server. */
const holdMs = 120_000;

/** More would keep a sender for long; what is left is due for the next one. */
const mostMs = 45_000;

/** Has a process of its own send what is due, so that no answer waits for a mail server. */
export async function sendLater({ config, ledger, configFile }: OpenLedger): Promise<void> {
  if (config.mail === undefined) return;
  await queueWhatIsDue(config, ledger, () => undefined);
  const sender = ulid();
  const claimed = await ledger.claimMessages(sender, holdMs);
  if (claimed.length > 0) startDrainer(sender, configFile, process.argv[1] ?? '');
}

/** What nobody but the clock asks for. */
async function queueWhatIsDue(config: Config, ledger: Ledger, tell: (message: string) => void): Promise<void> {
  if (config.mail?.on.includes('digest') !== true) return;
  const { queueDigest } = await import('./digest.js');
  await queueDigest(config, ledger, tell);
}

/** Sends what is due, now. A message that is not taken is logged, told, and tried again later. */
export async function sendNow(
  config: Config,
  ledger: Ledger,
  tell: (message: string) => void,
  sender = ulid(),
): Promise<void> {
  if (config.mail === undefined) return;
  await queueWhatIsDue(config, ledger, tell);
  const claimed = await ledger.claimMessages(sender, holdMs);
  if (claimed.length === 0) return;
  const { openLog } = await import('../runtime/logger.js');
  const log = openLog(config.log, tell);
  const deadline = performance.now() + mostMs;
  let away: string | undefined;
  for (const message of claimed) {
    away ??= performance.now() > deadline ? 'no time was left for it' : undefined;
    if (away !== undefined) {
      await ledger.settleMessage(message.id, sender, { kind: 'refused', reason: away });
      continue;
    }
    const sending = await sendOne(message, config.mail, ledger, sender);
    await ledger.settleMessage(message.id, sender, sending);
    if (sending.kind === 'sent') {
      log.info('mail sent', { message: message.id, rejected: sending.rejected });
    } else {
      const text = `mail not sent to ${config.mail.to.join(', ')}: ${sending.reason}; kept, and tried again`;
      log.error(text, { message: message.id });
      tell(text);
      if (sending.isAway) away = sending.reason;
    }
  }
  await log.close();
}

async function sendOne(message: QueuedMessage, mail: NonNullable<Config['mail']>, ledger: Ledger, sender: string) {
  const { sendMail } = await import('../report/smtp.js');
  const { subject = '', text = '', html } = message.content;
  return sendMail(mail, { id: message.id, date: new Date(message.createdAt), subject, text, html }, () =>
    ledger.beginHanding(message.id, sender, holdMs),
  );
}
