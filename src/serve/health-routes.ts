import { setTimeout as pause } from 'node:timers/promises';
import { json, type Reply, type Route, type Server } from './route.js';

/** How long the ledger may take to answer. */
const patienceMs = 2000;

export const healthRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/healthz',
    summary: 'the process is running',
    scope: null,
    handle: () => Promise.resolve({ status: 200, body: 'ok\n' }),
  },
  {
    method: 'GET',
    path: '/readyz',
    summary: 'the ledger can be read',
    scope: null,
    handle: (_, server) => isReady(server),
  },
];

async function isReady({ app }: Server): Promise<Reply> {
  const readable = app.ledger.findFreeze().then(
    () => true,
    () => false,
  );
  const isReadable = await Promise.race([readable, pause(patienceMs, false, { ref: false })]);
  return json(isReadable && !app.stop.aborted ? 200 : 503, { ready: isReadable && !app.stop.aborted });
}
