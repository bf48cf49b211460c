import type { Event } from '../core/event.js';
import type { NewMessage, QueuedMessage } from '../ledger/messages.js';
import type { App } from '../runtime/app.js';

/** One way to notify people. To add one: a folder with its `open` function, one line in index.ts, one in the schema. */
export interface Channel {
  name: string;
  /** Whether the configuration subscribes it to this kind of event. */
  accepts(kind: Event['kind']): boolean;
  /** Writes the message for an event; the outbox stores it until it is sent. */
  compose(event: Event): Promise<Content>;
  /**
   * Makes one attempt. Never throws if the server is unreachable or refuses: that is a result.
   * @param beforeSend is asked immediately before the message leaves, which it does only if the answer is yes
   */
  send(message: Stored, beforeSend: BeforeSend): Promise<Delivery>;
  /** The recipients, for a sentence. */
  describeTarget(): Promise<string>;
  /** For a channel that takes digests: the local time of day, and the word its messages' ids begin with. */
  digest?: { at: string; idPrefix: string };
}

export type Content = NewMessage['content'];
export type Stored = Pick<QueuedMessage, 'id' | 'content' | 'createdAt'>;
export type BeforeSend = () => Promise<boolean>;

/**
 * `unconfirmed`: the message left, and there was no answer. `isUnreachable`: the server said nothing about this message
 * and will say nothing about the next one.
 */
export type Delivery =
  { kind: 'sent'; rejected: string[] } | { kind: 'refused' | 'unconfirmed'; reason: string; isUnreachable: boolean };

/** Opens a channel, or gives undefined if its section of the configuration is missing. Loads nothing heavy. */
export type OpenChannel = (options: Pick<NotifyContext, 'config' | 'warn'>) => Channel | undefined;

/** Follows the log of outcomes by a cursor in the ledger, without the outbox. */
export interface Feed {
  /** Whether outcomes wait for it and no other process sends them; they are this sender's then. */
  claim(sender: string): Promise<boolean>;
  /** Sends all outcomes that wait; those the server does not take are sent later. */
  forward(sender: string): Promise<void>;
}

export type OpenFeed = (context: NotifyContext) => Feed | undefined;

/** What notifications take of the application's context. */
export interface NotifyContext extends Pick<App, 'config' | 'ledger' | 'host' | 'warn' | 'openLog'> {
  /** A test has channels of its own. */
  channels?: Readonly<Record<string, OpenChannel>>;
}
