import { spawnWorker } from '../dispatch/worker.js';
import type { QueuedMessage } from '../ledger/messages.js';
import { newId } from '../ledger/new-id.js';
import type { App } from '../runtime/app.js';
import type { Log } from '../runtime/logger.js';
import type { Channel, NotifyContext } from './channel.js';
import { queueDigests } from './digest.js';
import { channelNameOf, openChannels, openFeeds } from './index.js';

/** How long a message belongs to one sender, who renews the claim while it is sending. */
const claimMs = 120_000;
const renewEveryMs = 30_000;

/** How long one process may send; the remaining messages are due for the next one. */
const maxSendMs = 45_000;

/** The same where no caller waits: a slow server takes a minute or more for one mail. */
const maxUnattendedMs = 600_000;

/** Starts a process that sends all due messages, so that no caller waits for a mail server, a webhook or syslog. */
export async function sendLater(app: App): Promise<void> {
  const sender = newId();
  if (await claimDue({ ...app, warn: () => undefined }, sender)) spawnWorker(sender, app);
}

async function claimDue(context: NotifyContext, sender: string): Promise<boolean> {
  let isDue = false;
  for (const feed of openFeeds(context)) isDue = (await feed.claim(sender)) || isDue;
  if (openChannels(context).length === 0) return isDue;
  await queueDigests(context);
  return (await context.ledger.claimMessages(sender, claimMs)).length > 0 || isDue;
}

/** Sends all due messages. One that the server does not accept is logged, reported to the caller, and retried later. */
export async function sendDue(context: NotifyContext, sender = newId()): Promise<void> {
  for (const feed of openFeeds(context)) await feed.forward(sender);
  const channels = openChannels(context);
  if (channels.length === 0) return;
  await queueDigests(context);
  const claimed = await context.ledger.claimMessages(sender, claimMs);
  if (claimed.length === 0) return;
  const log = await context.openLog();
  const endRenewal = renewClaim(sender, context.ledger);
  try {
    await deliverAll(claimed, channels, { ...context, sender, log, unreachable: new Map() });
  } finally {
    endRenewal();
  }
}

async function deliverAll(
  claimed: readonly QueuedMessage[],
  channels: readonly Channel[],
  context: DeliveryContext,
): Promise<void> {
  const { ledger, sender, unreachable, isAwaited = false } = context;
  const deadline = performance.now() + (isAwaited ? maxSendMs : maxUnattendedMs);
  for (const message of claimed) {
    const name = channelNameOf(message, context);
    const channel = channels.find((each) => each.name === name) ?? removedChannel(name);
    const reason = performance.now() > deadline ? 'no time left in this process' : unreachable.get(name);
    if (reason === undefined) await deliver(message, channel, context);
    else await ledger.settleMessage(message.id, sender, { kind: 'refused', reason });
  }
}

/** Renews the claim until the returned function is called. */
function renewClaim(sender: string, ledger: NotifyContext['ledger']): () => void {
  const renewal = setInterval(() => {
    ledger.renewMessages(sender, claimMs).catch(() => undefined); // the ledger cannot be written now: settling reports it
  }, renewEveryMs);
  return () => clearInterval(renewal);
}

interface DeliveryContext extends NotifyContext {
  sender: string;
  log: Log;
  /** Why no further message is sent, by channel. */
  unreachable: Map<string, string>;
}

async function deliver(message: QueuedMessage, channel: Channel, context: DeliveryContext): Promise<void> {
  const { ledger, sender, log, warn, unreachable } = context;
  const delivery = await channel.send(message, () => ledger.markSending(message.id, sender, claimMs));
  await ledger.settleMessage(message.id, sender, delivery);
  if (delivery.kind === 'sent') {
    log.info(`${channel.name} sent`, { message: message.id, rejected: delivery.rejected });
    return;
  }
  const target = await channel.describeTarget();
  const text = `${channel.name} not sent to ${target}: ${delivery.reason}; will retry`;
  log.error(text, { message: message.id });
  warn(text);
  if (delivery.isUnreachable) unreachable.set(channel.name, delivery.reason);
}

/** It was configured when the message was stored. If it is configured again within a week, the message is sent. */
const removedChannel = (name: string): Channel => ({
  name,
  accepts: () => false,
  compose: () => Promise.resolve({}),
  send: () =>
    Promise.resolve({ kind: 'refused', reason: `firebreak.yml no longer configures ${name}`, isUnreachable: true }),
  describeTarget: () => Promise.resolve('its recipients'),
});
