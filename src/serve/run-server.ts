import { makeAlarmQueue } from '../app/alarm-queue.js';
import { makeApplier } from '../app/apply-soon.js';
import { followCrowdsec } from '../app/crowdsec-feed.js';
import { takeHandedOver } from '../app/intake-socket.js';
import { runForeground } from '../app/run-foreground.js';
import { selectFirewalls } from '../config/select.js';
import { listenAddress } from '../config/schema/serve-keys.js';
import { FirebreakError, quoteBack } from '../core/errors.js';
import type { App } from '../runtime/app.js';
import { postAlarms } from './alarm-routes.js';
import { healthRoutes } from './health-routes.js';
import { listen } from './http-server.js';
import { takePassedSocket } from './passed-socket.js';
import { makeRouter } from './router.js';
import { operateRoutes } from './operate-routes.js';
import { openC2 } from './openc2-routes.js';
import { describeRoutes } from './openapi.js';
import { pageRoutes } from './page/pages.js';
import { readRoutes } from './read-routes.js';
import type { Route, Server } from './route.js';

const ownRoutes: readonly Route[] = [postAlarms, ...readRoutes, ...operateRoutes, openC2, ...healthRoutes];

export const routes: readonly Route[] = [...ownRoutes, ...describeRoutes(ownRoutes)];

/** How long open requests may take to end after a signal. */
const closeMs = 4000;

/**
 * Serves HTTP until a signal stops it, and does what the timers do meanwhile. Alarms that were answered are in the
 * ledger: what is not applied at the end, the next process applies.
 * @param address `ADDRESS:PORT`, unless systemd passes a socket
 * @param tell is called with the address
 * @throws FirebreakError usage, firewall_unknown
 */
export async function runServer(app: App, address: string, tell: (url: string) => void): Promise<void> {
  checkSettings(app);
  const socket = takePassedSocket();
  if (socket === undefined) checkAddress(address, app);
  app.catchSignals();
  const server: Server = {
    app,
    queue: makeAlarmQueue(app),
    applier: makeApplier(app),
    startedAt: await app.ledger.now(),
  };
  const served = app.config.serve.page.enabled ? [...routes, ...pageRoutes] : routes;
  const listening = await listen(makeRouter(served, server).fetch, socket ?? address, app);
  try {
    checkAddress(listening.address, app);
  } catch (error) {
    await listening.close(0);
    throw error;
  }
  tell(listening.url);
  const { crowdsec } = app.config.feeds;
  const background = Promise.all([
    runForeground(app, () => undefined),
    takeHandedOver(server),
    ...(crowdsec === undefined ? [] : [followCrowdsec(crowdsec, app, server.applier)]),
  ]);
  await untilAborted(app.stop);
  await listening.close(closeMs);
  await Promise.all([background, server.applier.finish()]);
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return; // while the server began to listen
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

const isLoopback = (address: string): boolean => /^(?:127\.[0-9.]+|localhost|\[::1\]):\d+$/.test(address);

/** @throws FirebreakError usage: not an address, or one that must not be listened on */
function checkAddress(address: string, { config: { serve } }: App): void {
  if (!listenAddress.safeParse(address).success)
    throw new FirebreakError('usage', `--listen: expected ADDRESS:PORT, got ${quoteBack(address)}`);
  if (!isLoopback(address) && serve.tls === undefined && serve.trusted_proxies.length === 0) {
    throw new FirebreakError(
      'usage',
      `${address} is reachable from other hosts, and tokens would cross the network in clear; set serve.tls, or serve.trusted_proxies for a proxy that does`,
    );
  }
}

function checkSettings({ config }: App): void {
  for (const { firewalls } of Object.values(config.serve.sources)) selectFirewalls(config, firewalls);
  selectFirewalls(config, config.feeds.crowdsec?.firewalls ?? []);
}
