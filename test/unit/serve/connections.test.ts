import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { expect } from 'chai';
import { limitConnections, type Connections } from '#firebreak/serve/connections.js';

const most = 2000;

class FakeSocket extends EventEmitter {
  readonly remoteAddress = '192.0.2.1';
  destroyed = false;
  constructor(readonly remotePort: number) {
    super();
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

type Answer = Pick<ServerResponse, 'writableEnded' | 'writableFinished' | 'writableLength'>;

const inProgress: Answer = { writableEnded: false, writableFinished: false, writableLength: 0 };
const unread: Answer = { writableEnded: true, writableFinished: false, writableLength: 1024 * 1024 };

describe('the connections of the server', () => {
  let server: EventEmitter;
  let connections: Connections;
  let all: FakeSocket[];

  beforeEach(() => {
    server = new EventEmitter();
    connections = limitConnections(server as Server); // it listens to events alone
    all = [];
  });

  afterEach(() => connections.end());

  const open = (many: number): FakeSocket[] => {
    const added = Array.from({ length: many }, (_, index) => new FakeSocket(1024 + all.length + index));
    all.push(...added);
    for (const socket of added) server.emit('connection', socket);
    return added;
  };

  const request = (socket: FakeSocket, answer: Answer, complete = true): boolean =>
    connections.begin({ socket, complete } as unknown as IncomingMessage, answer as ServerResponse);

  const closed = (): FakeSocket[] => all.filter(({ destroyed }) => destroyed);

  for (const [what, waits] of [
    ['an idle one', () => undefined],
    ['one with half a body', (socket: FakeSocket) => request(socket, { ...inProgress }, false)],
    ['one with an unread answer', (socket: FakeSocket) => request(socket, { ...unread, writableLength: 1 })],
  ] as const)
    it(`beyond the limit are those that answer in progress, and ${what} gives way`, () => {
      const busy = open(1000);
      for (const socket of busy) request(socket, { ...inProgress });
      const [slow] = open(1);
      waits(slow!);
      for (const socket of open(most - 1001)) request(socket, { ...inProgress });
      open(1);
      expect(closed()).to.deep.equal([slow]);
    });

  it('give way even in use if there is no other, the oldest first, and never the newest', () => {
    const busy = open(most);
    for (const socket of busy) request(socket, { ...inProgress });
    open(2);
    expect(closed()).to.deep.equal([busy[0], all.at(-2)]);
  });

  it('have one request at a time: one that does not wait for its answer is closed', () => {
    const [socket] = open(1);
    expect(request(socket!, { ...inProgress, writableFinished: true })).to.equal(true);
    expect(request(socket!, { ...inProgress })).to.equal(true);
    expect(request(socket!, { ...inProgress })).to.equal(false);
    expect(request(socket!, { ...inProgress })).to.equal(false);
    expect(closed()).to.deep.equal([socket]);
  });

  it('hold a limited number of bytes that are not read: the oldest readers give way', async () => {
    const sockets = open(70);
    for (const socket of sockets) request(socket, { ...unread });
    await once(sockets[5]!, 'close');
    expect(closed()).to.deep.equal(sockets.slice(0, 6));
  });
});
