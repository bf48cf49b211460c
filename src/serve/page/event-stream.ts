import { setTimeout as sleep } from 'node:timers/promises';
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
  /** @returns undefined if too many are open */
  open: () => ReadableStream<Uint8Array> | undefined;
  count: () => number;
}

type Controller = ReadableStreamDefaultController<Uint8Array>;

const encoder = new TextEncoder();

/** @param stop ends all streams at once */
export function makeEventStreams({ app }: Pick<Server, 'app'>, stop: AbortSignal = app.stop): EventStreams {
  const streams = new Map<Controller, NodeJS.Timeout>();
  let isWatching = false;
  let changes = 0;

  const send = (text: string, to: Iterable<Controller> = streams.keys()): void => {
    const bytes = encoder.encode(text);
    for (const each of [...to]) each.enqueue(bytes);
  };
  const forget = (controller: Controller): void => {
    clearTimeout(streams.get(controller));
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
      while (streams.size > 0) {
        await app.ledger.waitForChange(quietMs);
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
    open: () => {
      if (streams.size >= maxStreams || stop.aborted) return undefined;
      let own: Controller;
      return new ReadableStream<Uint8Array>({
        start: (controller) => {
          own = controller;
          streams.set(controller, setTimeout(() => end(controller), lifeMs).unref());
          // A page that was without a stream for a while is refreshed as well.
          send(`retry: ${retryMs}\nid: ${changes}\nevent: change\ndata:\n\n`, [controller]);
          void watch();
        },
        cancel: () => forget(own),
      });
    },
  };
}

const known = new WeakMap<Server, EventStreams>();

/** Tells a page that something changed, so that it fetches its parts again. */
export const events: Page = {
  method: 'GET',
  path: '/events',
  role: 'viewer',
  handle: (_, server) => {
    const streams = known.get(server) ?? makeEventStreams(server);
    known.set(server, streams);
    const body = streams.open();
    if (body === undefined)
      throw new HttpError(503, 'too_many', { message: 'too many pages are open', retryAfter: 30 });
    return Promise.resolve({
      status: 200,
      body,
      headers: { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' },
    });
  },
};
