import { topicOf } from '../../core/event.js';
import type { OpenChannel } from '../channel.js';

/** Posts events as JSON documents, as the configuration's `webhook` says. */
export const openWebhook: OpenChannel = ({ config: { webhook } }) => {
  if (webhook === undefined) return undefined;
  const topics: readonly string[] = webhook.on;
  return {
    name: 'webhook',
    accepts: (kind) => topics.includes(topicOf(kind)),
    compose: async (event) => {
      const { toWebhookEvent } = await import('./webhook-event.js');
      return { event: JSON.stringify(toWebhookEvent(event)) };
    },
    send: async ({ id, content }, beforeSend) => {
      const { sendWebhook } = await import('./webhook.js');
      const event = JSON.parse(content['event'] ?? '{}') as object; // as `compose` wrote it
      return sendWebhook(webhook, { id, event }, beforeSend);
    },
    describeTarget: async () => (await import('./webhook.js')).nameWebhook(webhook),
  };
};
