import { ulid } from 'ulid';
import type { Event } from '../core/event.js';
import type { NewMessage } from '../ledger/messages.js';
import type { Channel, NotifyContext } from './channel.js';
import { openChannels } from './index.js';

/**
 * Composes the message of every channel that accepts an event, and stores the messages in the outbox. Nothing is sent yet.
 * @param store stores them, for example together with other changes
 */
export async function notify(
  events: readonly Event[],
  context: NotifyContext,
  store: (messages: readonly NewMessage[]) => Promise<void> = (messages) => queueAll(messages, context),
): Promise<void> {
  const messages: NewMessage[] = [];
  for (const event of events) {
    const channels = openChannels(context).filter((channel) => channel.accepts(event.kind));
    for (const channel of channels) messages.push(await toMessage(event, channel));
  }
  await store(messages);
}

/** @param id fixed for a message that several processes may compose, so that it is stored once */
export const toMessage = async (event: Event, channel: Channel, id = ulid()): Promise<NewMessage> => ({
  id,
  kind: channel.name,
  content: await channel.compose(event),
});

async function queueAll(messages: readonly NewMessage[], { ledger }: NotifyContext): Promise<void> {
  for (const message of messages) await ledger.queueMessage(message);
}
