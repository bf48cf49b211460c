import type { HttpBindings } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import type { TLSSocket } from 'node:tls';
import { makeCallerMemory } from '../app/callers.js';
import { makeTurns, type TakeTurn } from '../ledger/turns.js';
import { authenticate, type Credentials, type Requirement, type Sender } from './authenticate.js';
import { findClient } from './client-address.js';
import { errorBody, HttpError, toHttpError } from './http-error.js';
import { makeRateLimit, type RateLimit } from './rate-limit.js';
import { assertJsonType, parseJson, readBody } from './request-body.js';
import type { Call, Reply, Route, Server } from './route.js';

type HonoContext = Context<{ Bindings: HttpBindings }>;

/** Failed authentications per second of one address, before they are answered without a look-up. */
const failuresPerSecond = 5;

interface Checks {
  server: Server;
  senders: RateLimit;
  failures: RateLimit;
  rememberCaller: (address: string) => Promise<void>;
  /** Answers of reading tokens are made one after the other, so that an alarm waits for one of them at most. */
  takeReadTurn: TakeTurn;
}

/** The application of these routes: each request is authenticated, limited, handled and answered in the same way. */
export function makeRouter(routes: readonly Route[], server: Server): Hono<{ Bindings: HttpBindings }> {
  const hono = new Hono<{ Bindings: HttpBindings }>();
  const checks: Checks = {
    server,
    senders: makeRateLimit(server.app.config.serve.per_second),
    failures: makeRateLimit(failuresPerSecond),
    rememberCaller: makeCallerMemory(server.app.ledger),
    takeReadTurn: makeTurns(),
  };
  for (const route of routes) {
    hono.on(route.method, route.path.replace(/\{(\w+)\}/g, ':$1'), async (context) => {
      try {
        return toResponse(await answer(route, context, checks));
      } catch (error) {
        return toResponse(await explain(error, server));
      }
    });
  }
  hono.notFound(() =>
    toResponse({ status: 404, body: errorBody(new HttpError(404, 'not_found', 'there is no such resource')) }),
  );
  hono.onError(async (error) => toResponse(await explain(error, server)));
  return hono;
}

async function answer(route: Route, context: HonoContext, checks: Checks): Promise<Reply> {
  const { server } = checks;
  const { app } = server;
  const request = context.req.raw;
  const { incoming } = context.env;
  const address = findClient(
    incoming.socket.remoteAddress ?? '',
    request.headers.get('x-forwarded-for') ?? undefined,
    app.config.serve.trusted_proxies,
  );
  let body: Promise<Buffer> | undefined;
  const getBody = (): Promise<Buffer> => (body ??= readBody(request));
  const params = context.req.param();
  const credentials: Credentials = {
    headers: request.headers,
    url: new URL(request.url),
    address,
    certificate: findCertificate(incoming.socket as TLSSocket),
    readBody: getBody,
  };
  const sender = await admitSender(route, { credentials, params }, checks);
  const call: Call = {
    params,
    query: credentials.url.searchParams,
    headers: request.headers,
    readJson: async () => {
      assertJsonType(request);
      return parseJson(await getBody());
    },
    readBody: getBody,
    sender,
    address,
    peer: findClient(incoming.socket.remoteAddress ?? '', undefined, []),
    // Made when it is used: recording an alarm does without it.
    get app() {
      return { ...app, ...asActor(`${sender.name}, by http from ${address}`, server) };
    },
  };
  if (route.scope !== 'read') return route.handle(call, server);
  const endTurn = await checks.takeReadTurn();
  try {
    return context.env.outgoing.destroyed ? callerLeft : await route.handle(call, server);
  } finally {
    endTurn();
  }
}

/** The caller closed the connection before its turn came. */
const callerLeft: Reply = { status: 503, body: '' };

const asActor = (actor: string, { app }: Server) => ({ actor, ledger: app.ledger.as(actor) });

/** @throws HttpError 401, 403, 429 */
async function admitSender(
  route: Route,
  { credentials, params }: { credentials: Credentials; params: Readonly<Record<string, string>> },
  checks: Checks,
): Promise<Sender> {
  const { server, senders, rememberCaller } = checks;
  if (route.scope === null) return { name: 'anyone', scope: 'read' };
  const requirement: Requirement = { scope: route.scope, ...route.require?.(params, server) };
  const sender = await authenticate(credentials, requirement, server.app.ledger).catch((error: unknown) =>
    refuse(error, credentials.address, checks),
  );
  const seconds = senders.take(sender.name);
  if (seconds > 0) throw new HttpError(429, 'too_many', { message: 'too many requests', retryAfter: seconds });
  if (route.scope === 'alarm' && credentials.address !== 'unknown') await rememberCaller(credentials.address);
  return sender;
}

/** Logs a refused sender, unless its address is refused all the time. */
async function refuse(error: unknown, address: string, { failures, server }: Checks): Promise<never> {
  if (!(error instanceof HttpError) || ![401, 403].includes(error.status)) throw error;
  const seconds = failures.take(address);
  if (seconds > 0) throw new HttpError(429, 'too_many', { message: 'too many failed requests', retryAfter: seconds });
  const log = await server.app.openLog();
  log.warn('http refused', { from: address, status: error.status, reason: error.message });
  throw error;
}

function findCertificate(socket: TLSSocket): string | undefined {
  if (!socket.authorized) return undefined; // nor is a socket without TLS
  const name: unknown = socket.getPeerCertificate().subject.CN;
  return typeof name === 'string' ? name : undefined;
}

async function explain(error: unknown, { app }: Server): Promise<Reply> {
  const known = toHttpError(error);
  if (known === undefined) {
    const log = await app.openLog();
    log.error('http failed', { error: error instanceof Error ? error.stack : String(error) });
    return { status: 500, body: errorBody(new HttpError(500, 'unexpected', 'unexpected error; the log has details')) };
  }
  const headers: Record<string, string> = {
    ...(known.retryAfter !== undefined && { 'Retry-After': String(known.retryAfter) }),
    ...(known.status === 401 && { 'WWW-Authenticate': 'Bearer' }),
  };
  return { status: known.status, body: errorBody(known), headers };
}

const usualHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'",
  'X-Content-Type-Options': 'nosniff',
};

function toResponse({ status, body, headers }: Reply): Response {
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
  const isDocument = typeof body === 'object' && !(body instanceof ReadableStream);
  const all = { 'Content-Type': type, ...usualHeaders, ...headers };
  return new Response([204, 304].includes(status) ? null : isDocument ? JSON.stringify(body) : body, {
    status,
    headers: all,
  });
}
