// What the ledger keeps to be told to people outside.

/** Something to be told to people outside; `content` is what its kind needs. */
export interface NewMessage {
  id: string;
  kind: string;
  content: Readonly<Record<string, string>>;
}

export interface QueuedMessage extends NewMessage {
  createdAt: number;
  /** When it may be tried next; null where it was sent or set aside. */
  dueAt: number | null;
  tries: number;
  sentAt: number | null;
  /** What hindered it last. */
  lastError: string | null;
}

/** `unconfirmed`: it left, and nobody said whether it arrived. It then leaves once more at most. */
export type MessageEnding = { kind: 'sent' } | { kind: 'refused' | 'unconfirmed'; reason: string };
