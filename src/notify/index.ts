import type { Event } from '../core/event.js';
import type { QueuedMessage } from '../ledger/messages.js';
import type { Channel, Feed, NotifyContext, OpenChannel, OpenFeed } from './channel.js';
import { openMail } from './mail/mail-channel.js';
import { openSyslog } from './syslog/forward.js';
import { openWebhook } from './webhook/webhook-channel.js';

/** All channels, by the name of their messages in the outbox. */
const allChannels: Readonly<Record<string, OpenChannel>> = { mail: openMail, webhook: openWebhook };

const allFeeds: readonly OpenFeed[] = [openSyslog];

/** Release 0.1 stored mails under the kind of their event. */
const formerChannel = 'mail';

/** The channels that are configured. */
export const openChannels = (context: NotifyContext): Channel[] =>
  Object.values(context.channels ?? allChannels).flatMap((open) => open(context) ?? []);

export const openFeeds = (context: NotifyContext): Feed[] => allFeeds.flatMap((open) => open(context) ?? []);

/** Whether any channel accepts this kind of event. */
export const isSubscribed = (kind: Event['kind'], context: NotifyContext): boolean =>
  openChannels(context).some((channel) => channel.accepts(kind));

/** The name of the channel that sends a stored message. */
export const channelNameOf = ({ kind }: Pick<QueuedMessage, 'kind'>, context: NotifyContext): string =>
  Object.hasOwn(context.channels ?? allChannels, kind) ? kind : formerChannel;
