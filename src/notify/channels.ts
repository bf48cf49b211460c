import type { Config, WebhookConfig } from '../config/schema.js';
import type { NewMessage } from '../ledger/messages.js';
import type { WebhookEvent } from './webhook/webhook-event.js';
import { ulid } from 'ulid';

/** What somebody can be told about. */
export type ToldKind = WebhookConfig['on'][number];

/** Whether anybody is told about it, by whichever way. */
export const isTold = (kind: ToldKind, { mail, webhook }: Config): boolean =>
  mail?.on.includes(kind) === true || webhook?.on.includes(kind) === true;

/** Whether anything is told to anybody. */
export const hasWay = ({ mail, webhook }: Config): boolean => mail !== undefined || webhook !== undefined;

/** Kept by the outbox for the webhook alone. Every other kind is a mail. */
export const webhookKind = 'webhook';

/** The event for the webhook, if it is to be told about that. */
export function forWebhook({ webhook }: Config, event: () => WebhookEvent): NewMessage[] {
  if (webhook === undefined) return [];
  const made = event();
  if (!webhook.on.includes(made.kind)) return [];
  return [{ id: ulid(), kind: webhookKind, content: { event: JSON.stringify(made) } }];
}
