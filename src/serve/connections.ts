import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Connections at the same time; each takes a descriptor and some memory. */
const maxConnections = 2000;

/** Bytes of answers that their readers have not taken yet, of all connections. */
const maxUnread = 64 * 1024 * 1024;

const checkEveryMs = 1000;

interface Connection {
  socket: Socket;
  /** The current request, or the last one. */
  request?: IncomingMessage;
  response?: ServerResponse;
}

/** The connections of a server, so that neither their number nor slow readers exhaust it. */
export interface Connections {
  /** @returns false if the request is not to be answered: its connection is closed, as after requests without a pause */
  begin(request: IncomingMessage, response: ServerResponse): boolean;
  /** Ends the checks. */
  end(): void;
}

/** Whether the other end has to act: it sends nothing, or only a part of a request, or does not read its answer. */
const waitsForClient = ({ request, response }: Connection): boolean =>
  request?.complete !== true || response?.writableEnded !== false;

const unreadOf = ({ response }: Connection): number => response?.writableLength ?? 0;

/**
 * Beyond a limit the oldest connection gives way that waits for its client, and only without such a one the oldest of
 * all: idle, half-open and slow ones lock no sender out.
 */
export function limitConnections(server: Pick<Server, 'on'>): Connections {
  // By the other end, because the socket of a request over TLS is not that of its connection. In the order of use.
  const open = new Map<string, Connection>();
  const nameOf = ({ remoteAddress = '', remotePort = 0 }: Socket): string => `${remoteAddress} ${remotePort}`;
  const findOldest = (isSo: (connection: Connection) => boolean): Connection | undefined => {
    for (const connection of open.values()) if (isSo(connection)) return connection;
    return undefined;
  };
  const close = (connection: Connection | undefined): void => {
    if (connection === undefined) return;
    open.delete(nameOf(connection.socket));
    connection.socket.destroy();
  };
  server.on('connection', (socket: Socket) => {
    const name = nameOf(socket);
    const connection = { socket };
    open.set(name, connection);
    socket.once('close', () => {
      if (open.get(name)?.socket === socket) open.delete(name);
    });
    if (open.size > maxConnections)
      close(findOldest((each) => each !== connection && waitsForClient(each)) ?? findOldest(() => true));
  });
  const timer = setInterval(() => {
    const slow = [...open.values()].filter((connection) => unreadOf(connection) > 0);
    let unread = slow.reduce((sum, connection) => sum + unreadOf(connection), 0);
    for (const connection of slow) {
      if (unread <= maxUnread) break;
      unread -= unreadOf(connection);
      close(connection);
    }
  }, checkEveryMs).unref();
  return {
    begin: (request, response) => {
      const name = nameOf(request.socket);
      const connection = open.get(name);
      if (connection === undefined) return !request.socket.destroyed; // else it has given way
      if (connection.response?.writableFinished === false) {
        close(connection);
        return false;
      }
      open.delete(name);
      open.set(name, { ...connection, request, response });
      return true;
    },
    end: () => clearInterval(timer),
  };
}
