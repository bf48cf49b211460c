// Outgoing messages, as the ledger stores them.

/** A message to send; `content` depends on its kind. */
export interface NewMessage {
  id: string;
  kind: string;
  content: Readonly<Record<string, string>>;
}

export interface QueuedMessage extends NewMessage {
  createdAt: number;
  /** When it may be sent next; null if it was sent or is a dead letter. */
  dueAt: number | null;
  tries: number;
  sentAt: number | null;
  /** The last error. */
  lastError: string | null;
}

/** `unconfirmed`: it was sent without an answer. It is sent once more at most. */
export type MessageEnding = { kind: 'sent' } | { kind: 'refused' | 'unconfirmed'; reason: string };
