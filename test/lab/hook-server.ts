import { createServer as createHttp, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface Posted {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface HookServer {
  readonly port: number;
  readonly posted: Posted[];
  stop(): Promise<void>;
}

/** A real HTTP or HTTPS server on loopback that keeps what it is sent. @param answer 204 without one */
export async function startHookServer(
  answer: (response: ServerResponse, posted: Posted) => void = (response) => void response.writeHead(204).end(),
  tls?: { key: Buffer; cert: Buffer },
  port = 0,
): Promise<HookServer> {
  const posted: Posted[] = [];
  const listener: RequestListener = (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      const one = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
      posted.push(one);
      answer(response, one);
    });
  };
  const server = tls === undefined ? createHttp(listener) : createHttps(tls, listener);
  server.on('clientError', (_error, socket) => socket.destroy()).on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port, // it listens on TCP
    posted,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
