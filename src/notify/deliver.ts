import { ulid } from 'ulid';
import type { Config } from '../config/schema.js';
import { startDrainer } from '../dispatch/worker.js';
import type { Ledger } from '../ledger/ledger.js';
import type { QueuedMessage } from '../ledger/messages.js';
import type { Sending } from './mail/smtp.js';
import { hasLines } from './syslog/forward.js';
import { hasWay, webhookKind } from './channels.js';

/** How long a message is one sender's before another may take it: longer than any conversation with a server. */
const holdMs = 120_000;

/** More would keep a sender for long; what is left is due for the next one. */
const mostMs = 45_000;

/** Has a process of its own send what is due, so that no answer waits for a mail server, a webhook or syslog. */
export async function sendLater({
  config,
  ledger,
  configFile,
}: {
  config: Config;
  ledger: Ledger;
  configFile: string;
}): Promise<void> {
  const sender = ulid();
  let isDue = await hasLines(config, ledger, sender);
  if (hasWay(config)) {
    await queueWhatIsDue(config, ledger, () => undefined);
    isDue = (await ledger.claimMessages(sender, holdMs)).length > 0 || isDue;
  }
  if (isDue) startDrainer(sender, configFile, process.argv[1] ?? '');
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
  if (!hasWay(config)) return;
  await queueWhatIsDue(config, ledger, tell);
  const claimed = await ledger.claimMessages(sender, holdMs);
  if (claimed.length === 0) return;
  const { openLog } = await import('../runtime/logger.js');
  const log = openLog(config.log, tell);
  const deadline = performance.now() + mostMs;
  const away = new Map<string, string>();
  for (const message of claimed) {
    const way = await findWay(message, config);
    const reason = performance.now() > deadline ? 'no time was left for it' : away.get(way.name);
    if (reason !== undefined) {
      await ledger.settleMessage(message.id, sender, { kind: 'refused', reason });
      continue;
    }
    const sending = await way.send(() => ledger.markSending(message.id, sender, holdMs));
    await ledger.settleMessage(message.id, sender, sending);
    if (sending.kind === 'sent') {
      log.info(`${way.name} sent`, { message: message.id, rejected: sending.rejected });
    } else {
      const text = `${way.name} not sent to ${way.to}: ${sending.reason}; kept, and tried again`;
      log.error(text, { message: message.id });
      tell(text);
      if (sending.isAway) away.set(way.name, sending.reason);
    }
  }
  await log.close();
}

interface Way {
  name: 'mail' | 'webhook';
  /** Whom it is for, in a sentence. */
  to: string;
  send: (leave: () => Promise<boolean>) => Promise<Sending>;
}

async function findWay(message: QueuedMessage, { mail, webhook }: Config): Promise<Way> {
  if (message.kind === webhookKind) {
    if (webhook === undefined) return gone('webhook');
    const { nameWebhook, sendWebhook } = await import('./webhook/webhook.js');
    const event = JSON.parse(message.content['event'] ?? '{}') as object; // as `forWebhook` wrote it
    return {
      name: 'webhook',
      to: nameWebhook(webhook),
      send: (leave) => sendWebhook(webhook, { id: message.id, event }, leave),
    };
  }
  if (mail === undefined) return gone('mail');
  const { sendMail } = await import('./mail/smtp.js');
  const { subject = '', text = '', html } = message.content;
  const outgoing = { id: message.id, date: new Date(message.createdAt), subject, text, html };
  return { name: 'mail', to: mail.to.join(', '), send: (leave) => sendMail(mail, outgoing, leave) };
}

/** It was configured when the message was kept. Who configures it again within a week gets the message. */
const gone = (name: Way['name']): Way => ({
  name,
  to: 'anybody',
  send: () =>
    Promise.resolve({ kind: 'refused', reason: `there is no ${name} in firebreak.yml any more`, isAway: true }),
});
