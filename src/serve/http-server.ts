import { getRequestListener } from '@hono/node-server';
import { createServer, type IncomingMessage, type Server as PlainServer, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { readFileSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { ServeConfig } from '../config/schema/serve-keys.js';
import { describeError } from '../core/describe.js';
import { FirebreakError } from '../core/errors.js';
import type { App } from '../runtime/app.js';
import { limitConnections } from './connections.js';
import { addressOf } from './passed-socket.js';

type Fetch = Parameters<typeof getRequestListener>[0];
type Tls = NonNullable<ServeConfig['tls']>;

/** A server that listens. */
export interface Listening {
  /** `ADDRESS:PORT`, with the port that it has. */
  address: string;
  url: string;
  /** Stops listening, and resolves when the open requests are answered, or after `ms`. */
  close: (ms: number) => Promise<void>;
}

/** How long a request may take to arrive: a slow or half-open connection is closed. */
const timeouts = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 15_000,
  connectionsCheckingInterval: 5000,
};

const options = { ...timeouts, maxHeaderSize: 16_384 };

/** Connections that wait to be accepted: fewer than are open, so that none gives way before it was read. */
const backlog = 1000;

const reloadEveryMs = 5000;

/**
 * @param where `ADDRESS:PORT`, or the descriptor of a socket that listens
 * @throws FirebreakError usage if it cannot listen
 */
export async function listen(
  fetch: Fetch,
  where: string | number,
  app: Pick<App, 'config' | 'warn'>,
): Promise<Listening> {
  const { tls } = app.config.serve;
  const handle = getRequestListener(fetch, { overrideGlobalObjects: false });
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (connections.begin(request, response)) void handle(request, response);
  };
  const server = tls === undefined ? createServer(options, answer) : createTlsServer(tlsOptions(tls), answer);
  const connections = limitConnections(server);
  const address = await begin(server, where);
  const endReload = tls === undefined ? (): void => undefined : reloadTls(server as TlsServer, tls, app.warn);
  return {
    address,
    url: `${tls === undefined ? 'http' : 'https'}://${address}`,
    close: async (ms) => {
      endReload();
      await close(server, ms);
      connections.end();
    },
  };
}

/** @returns the address with the port that it has */
async function begin(server: PlainServer | TlsServer, where: string | number): Promise<string> {
  const [, shown = '', host = '', port = ''] = /^(\[?([^\]]*)\]?):(\d+)$/.exec(String(where)) ?? [];
  await new Promise<void>((resolve, reject) => {
    const what = typeof where === 'number' ? 'the socket that systemd passes' : where;
    // It stays: an error after that, such as no free descriptor for a connection, ends with the connection.
    server.on('error', (error) =>
      reject(new FirebreakError('usage', `cannot listen on ${what}: ${describeError(error)}`, { cause: error })),
    );
    server.once('listening', resolve);
    server.listen(typeof where === 'number' ? { fd: where, backlog } : { port: Number(port), host, backlog });
  });
  const bound = server.address();
  return typeof where === 'number' ? addressOf(bound) : `${shown}:${(bound as AddressInfo).port}`;
}

function close(server: PlainServer | TlsServer, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), ms);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

const readTls = ({ cert_file, key_file, client_ca_file }: Tls) => ({
  cert: readFileSync(cert_file),
  key: readFileSync(key_file),
  ...(client_ca_file !== undefined && { ca: readFileSync(client_ca_file) }),
});

/** Client certificates are requested, and checked where a route needs them. */
const tlsOptions = (tls: Tls) => ({
  ...options,
  ...readTls(tls),
  requestCert: tls.client_ca_file !== undefined,
  rejectUnauthorized: false,
});

const timesOf = ({ cert_file, key_file, client_ca_file }: Tls): string =>
  [cert_file, key_file, client_ca_file ?? cert_file]
    .map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs)
    .join();

/** Reads the files again when they have changed, as certificates are renewed. @returns a function that ends this */
function reloadTls(server: TlsServer, tls: Tls, warn: App['warn']): () => void {
  let known = timesOf(tls);
  const timer = setInterval(() => {
    const now = timesOf(tls);
    if (now === known) return;
    known = now;
    try {
      server.setSecureContext(readTls(tls));
    } catch (error) {
      warn(`serve.tls: the previous files stay in use: ${describeError(error)}`);
    }
  }, reloadEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}
