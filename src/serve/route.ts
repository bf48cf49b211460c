import type { AlarmQueue } from '../app/alarm-queue.js';
import type { Applier } from '../app/apply-soon.js';
import type { App } from '../runtime/app.js';
import type { TokenScope } from '../core/token.js';
import type { Requirement, Sender } from './authenticate.js';

/** What all requests share. */
export interface Server {
  app: App;
  queue: AlarmQueue;
  applier: Applier;
  /** When the process began, by the ledger's clock: counters count from then. */
  startedAt: number;
}

/** One authenticated request. */
export interface Call {
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  headers: Headers;
  /** The JSON document in the body. @throws HttpError 400, 413, 415 */
  readJson: () => Promise<unknown>;
  /** The body as it came. @throws HttpError 413 */
  readBody: () => Promise<Buffer>;
  sender: Sender;
  address: string;
  /** The address at the other end of the connection, which may be that of a proxy. */
  peer: string;
  /** The application, whose audit log names this sender. */
  app: App;
}

export interface Reply {
  status: number;
  /** A document, text, or a stream of bytes whose type a header names. */
  body: object | string | ReadableStream<Uint8Array>;
  headers?: Record<string, string>;
}

/** One entry of the table of routes: the router, the checks of each request and the OpenAPI document follow it. */
export interface Route {
  method: 'GET' | 'POST' | 'DELETE';
  /** `/api/v1/blocks/{id}` */
  path: string;
  summary: string;
  /** Null: open to everyone. */
  scope: TokenScope | null;
  /** More that a sender must meet. */
  require?: (params: Readonly<Record<string, string>>, server: Server) => Partial<Requirement>;
  handle: (call: Call, server: Server) => Promise<Reply>;
  /** For the OpenAPI document: JSON Schemas. */
  query?: Readonly<Record<string, string>>;
  request?: object;
  responses?: Readonly<Record<number, string>>;
}

export const json = (status: number, body: object, headers?: Record<string, string>): Reply => ({
  status,
  body,
  ...(headers && { headers }),
});
