import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { makeToken, startServing, stopServing, type Serving } from '../lab/http-server.js';
import { makeLauncher, type Launcher } from '../lab/launcher.js';

/** More than the server holds at the same time. */
const many = 2100;

/** This process needs one descriptor for each connection. */
const descriptors = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 0);
const asManyAsPossible = Math.min(10_000, descriptors - 200);

const half = 'POST /api/v1/alarms/generic HTTP/1.1\r\nHost: x\r\n';

describe('firebreak serve, under a flood', function () {
  this.timeout(120_000);
  let launcher: Launcher;
  let serving: Serving;
  let slowBody: string;
  const sockets: Socket[] = [];

  before(async () => {
    launcher = makeLauncher({ edge: { host: '127.0.0.1', port: 9 } }, { serve: { per_second: 1_000_000 } });
    serving = await startServing(launcher, await makeToken(launcher, 'sender'));
    const authorization = `Authorization: Bearer ${await makeToken(launcher, 'slow')}`;
    slowBody = `${half}${authorization}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`;
  });

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  after(async () => {
    await stopServing(serving);
    launcher.remove();
  });

  const open = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(serving.url);
      const socket = connect(Number(port), hostname, () => void socket.write(text, () => resolve()));
      socket.on('error', reject).on('data', () => undefined);
      sockets.push(socket);
    });

  const post = (source: string) =>
    serving.post('/api/v1/alarms/generic', { src_ip: source, dst_ip: '192.168.1.10', dst_port: 22 });

  for (const [what, getText, source] of [
    ['idle connections', () => '', '203.0.113.1'],
    ['half of a request', () => half, '203.0.113.2'],
    ['a request of a valid token whose body does not come', () => slowBody, '203.0.113.5'],
  ] as const) {
    it(`accepts an alarm while ${many} others hold ${what}`, async () => {
      for (let index = 0; index < many; index += 1) await open(getText());
      expect((await post(source)).status).to.equal(202);
    });
  }

  it(`accepts alarms while ${asManyAsPossible} others hold idle, half-open and slow connections`, async () => {
    const kinds = ['', half, slowBody, 'GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'];
    for (let index = 0; index < asManyAsPossible; index += 1) {
      await open(kinds[index % kinds.length]!);
      if (index % 1000 === 999)
        expect((await post(`203.0.113.${100 + Math.floor(index / 1000)}`)).status).to.equal(202);
    }
    expect((await post('203.0.113.6')).status).to.equal(202);
  });

  it('answers one request of a connection at a time, and closes one that does not wait', async () => {
    await open('GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100));
    const socket = sockets.at(-1)!;
    let answer = '';
    socket.on('data', (piece: Buffer) => (answer += piece.toString()));
    await once(socket, 'close');
    expect(answer.match(/HTTP\/1\.1 200/g) ?? []).to.have.length.at.most(1);
    expect((await serving.get('/healthz')).status).to.equal(200);
  });

  it('accepts an alarm during a flood of wrong tokens, and answers these with 401 and 429', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => serving.get('/metrics', { authorization: `Bearer fbt_${index}` })),
    );
    expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([401, 429]));
    expect((await post('203.0.113.3')).status).to.equal(202);
  });

  it('accepts an alarm while others do not read their answers', async () => {
    for (let index = 0; index < 50; index += 1) {
      await open('GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100));
      sockets.at(-1)?.pause();
    }
    expect((await post('203.0.113.4')).status).to.equal(202);
  });
});
