import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from '../../runtime/app.js';
import { HttpError } from '../http-error.js';
import type { Page } from '../people/page-route.js';
import type { Server } from '../route.js';

/** The most streams at the same time. */
const maxStreams = 200;

/** A line without content, so that no proxy closes a quiet connection. */
const heartbeatMs = 20_000;

/** The browser opens a new stream after this time, and is authenticated again. */
const lifeMs = 300_000;

/** At most one refresh in this time. */
const calmMs = 1000;

/** Without a change, pages are refreshed after this time: they say how long ago things happened. */
const quietMs = 60_000;

/** How long a browser waits before it opens a stream again. */
const retryMs = 2000;

/** The pages that are open, and the one watcher of the ledger that refreshes them all. */
export interface EventStreams {
  /** @param session the hash of the login session that the stream ends with; @returns undefined if too many are open */
  open: (session: string) => ReadableStream<Uint8Array> | undefined;
  count: () => number;
}

type Controller = ReadableStreamDefaultController<Uint8Array>;

interface Stream {
  session: string;
  life: NodeJS.Timeout;
}

const encoder = new TextEncoder();

/** @param stop ends all streams at once */
export function makeEventStreams({ app }: Pick<Server, 'app'>, stop: AbortSignal = app.stop): EventStreams {
  const streams = new Map<Controller, Stream>();
  let isWatching = false;
  let changes = 0;

  const send = (text: string, to: Iterable<Controller> = streams.keys()): void => {
    const bytes = encoder.encode(text);
    for (const each of [...to]) each.enqueue(bytes);
  };
  const forget = (controller: Controller): void => {
    clearTimeout(streams.get(controller)?.life);
    streams.delete(controller);
  };
  const end = (controller: Controller): void => {
    forget(controller);
    controller.close();
  };
  stop.addEventListener('abort', () => [...streams.keys()].forEach(end), { once: true });

  const watch = async (): Promise<void> => {
    if (isWatching) return;
    isWatching = true;
    const heartbeat = setInterval(() => send(':\n\n'), heartbeatMs).unref(); // the server keeps the process
    try {
      let changed = app.ledger.waitForChange(quietMs);
      while (streams.size > 0) {
        await changed;
        // Begins before the sessions are checked: one that ends meanwhile is a change of the next round.
        changed = app.ledger.waitForChange(quietMs);
        changed.catch(() => undefined); // the next round throws it
        for (const each of await findLoggedOut(streams, app)) {
          send('event: change\ndata:\n\n', [each]); // the refresh leads to the login
          end(each);
        }
        await sleep(calmMs, undefined, { ref: false });
        changes += 1;
        send(`id: ${changes}\nevent: change\ndata:\n\n`);
      }
    } catch {
      [...streams.keys()].forEach(end); // the ledger is closed or lost: browsers try again
    } finally {
      clearInterval(heartbeat);
      isWatching = false;
    }
  };

  return {
    count: () => streams.size,
    open: (session) => {
      if (streams.size >= maxStreams || stop.aborted) return undefined;
      let own: Controller;
      return new ReadableStream<Uint8Array>({
        start: (controller) => {
          own = controller;
          streams.set(controller, { session, life: setTimeout(() => end(controller), lifeMs).unref() });
          // A page that was without a stream for a while is refreshed as well.
          send(`retry: ${retryMs}\nid: ${changes}\nevent: change\ndata:\n\n`, [controller]);
          void watch();
        },
        cancel: () => forget(own),
      });
    },
  };
}

/** The streams whose sessions have ended. */
async function findLoggedOut(streams: ReadonlyMap<Controller, Stream>, { ledger, config }: App): Promise<Controller[]> {
  const ended = new Set<string>();
  for (const session of new Set([...streams.values()].map((stream) => stream.session)))
    if ((await ledger.findWebSession(session, config.serve.page.idle)) === undefined) ended.add(session);
  return [...streams].flatMap(([controller, { session }]) => (ended.has(session) ? [controller] : []));
}

const known = new WeakMap<Server, EventStreams>();

/** Tells a page that something changed, so that it fetches its parts again. */
export const events: Page = {
  method: 'GET',
  path: '/events',
  role: 'viewer',
  handle: ({ visitor }, server) => {
    const streams = known.get(server) ?? makeEventStreams(server);
    known.set(server, streams);
    const body = streams.open(visitor.session);
    if (body === undefined)
      throw new HttpError(503, 'too_many', { message: 'too many pages are open', retryAfter: 30 });
    return Promise.resolve({
      status: 200,
      body,
      headers: { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' },
    });
  },
};
