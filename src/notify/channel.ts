import type { Event } from '../core/event.js';
import type { NewMessage, QueuedMessage } from '../ledger/messages.js';
import type { App } from '../runtime/app.js';

/** A medium for notifications. To add one: a folder with its `open` function, one line in index.ts, one in the schema. */
export interface Channel {
  name: string;
  /** Whether the configuration subscribes it to this kind of event. */
  accepts(kind: Event['kind']): boolean;
  /** Writes the message for an event; the outbox stores it until it is sent. */
  compose(event: Event): Promise<Content>;
  /**
   * Makes one attempt. Never throws if the server is unreachable or refuses: that is a result.
   * @param beforeSend is called immediately before the message leaves; the message leaves only if it resolves to true
   */
  send(message: Stored, beforeSend: BeforeSend): Promise<Delivery>;
  /** The recipients, for a sentence. */
  describeTarget(): Promise<string>;
  /** For a channel that sends digests: the local time of day, and the prefix of its messages' ids. */
  digest?: { at: string; idPrefix: string };
}

export type Content = NewMessage['content'];
export type Stored = Pick<QueuedMessage, 'id' | 'content' | 'createdAt'>;
export type BeforeSend = () => Promise<boolean>;

/**
 * `unconfirmed`: the message left without an answer. `isUnreachable`: the failure is not about this message, and the
 * next one would fail as well.
 */
export type Delivery =
  { kind: 'sent'; rejected: string[] } | { kind: 'refused' | 'unconfirmed'; reason: string; isUnreachable: boolean };

/** Opens a channel, or gives undefined if its section of the configuration is missing. Loads nothing heavy. */
export type OpenChannel = (
  options: Pick<NotifyContext, 'config' | 'warn' | 'openLog' | 'isAwaited'>,
) => Channel | undefined;

/** Follows the log of outcomes with a cursor in the ledger, without the outbox. */
export interface Feed {
  /** Claims the outcomes that wait, unless another process sends them. Returns whether there are any. */
  claim(sender: string): Promise<boolean>;
  /** Sends all outcomes that wait; those the server does not accept are sent later. */
  forward(sender: string): Promise<void>;
}

export type OpenFeed = (context: NotifyContext) => Feed | undefined;

/** The part of the application's context that notifications use. */
export interface NotifyContext extends Pick<App, 'config' | 'ledger' | 'host' | 'warn' | 'openLog'> {
  /** Whether a caller waits for the end of this process. */
  isAwaited?: boolean;
  /** A test passes its own channels. */
  channels?: Readonly<Record<string, OpenChannel>>;
}
