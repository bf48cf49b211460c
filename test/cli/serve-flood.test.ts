import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { makeToken, startServing, stopServing, type Serving } from '../lab/http-server.js';
import { makeLauncher, type Launcher } from '../lab/launcher.js';

/** More than the server holds at the same time. */
const many = 2100;

describe('firebreak serve, under a flood', function () {
  this.timeout(120_000);
  let launcher: Launcher;
  let serving: Serving;
  const sockets: Socket[] = [];

  before(async () => {
    launcher = makeLauncher({ edge: { host: '127.0.0.1', port: 9 } });
    serving = await startServing(launcher, await makeToken(launcher, 'sender'));
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
      socket.on('error', (error) => reject(error)).on('data', () => undefined);
      sockets.push(socket);
    });

  const post = (source: string) =>
    serving.post('/api/v1/alarms/generic', { src_ip: source, dst_ip: '192.168.1.10', dst_port: 22 });

  for (const [what, text, source] of [
    ['idle connections', '', '203.0.113.1'],
    ['half of a request', 'POST /api/v1/alarms/generic HTTP/1.1\r\nHost: x\r\n', '203.0.113.2'],
  ] as const) {
    it(`accepts an alarm while ${many} others hold ${what}`, async () => {
      for (let index = 0; index < many; index += 1) await open(text);
      expect((await post(source)).status).to.equal(202);
    });
  }

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
