import { expect } from 'chai';
import { DatabaseSync } from '@photostructure/sqlite';
import path from 'node:path';
import { checkServe } from '#firebreak/doctor/serve-server.js';
import { aConfig } from '../fixtures.js';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeToken, startServing, stopServing, type Serving } from '../lab/http-server.js';
import { makeLauncher, settingsOf, waitUntil, type Launcher } from '../lab/launcher.js';

const alarm = { src_ip: '203.0.113.7', dst_ip: '192.168.1.10', dst_port: 22 };
const generic = '/api/v1/alarms/generic';

describe('firebreak token', function () {
  this.timeout(120_000);
  let launcher: Launcher;

  beforeEach(() => {
    launcher = makeLauncher({ edge: { host: '127.0.0.1', port: 9 } });
  });

  afterEach(() => launcher.remove());

  it('prints the secret once, alone, and stores only its hash', async () => {
    const { stdout, stderr } = await launcher.firebreak(['token', 'add', 'siem', '--network', '192.0.2.0/24']);
    expect({ secret: /^fbt_[\w-]{43}\n$/.test(stdout), stderr }).to.deep.equal({ secret: true, stderr: '' });
    const list = await launcher.firebreak(['token', 'list']);
    expect(list.stdout).to.match(/siem +alarm +any +192\.0\.2\.0\/24 +forever/);
    const database = new DatabaseSync(path.join(launcher.stateDir, 'ledger.db'), { readOnly: true });
    const rows = JSON.stringify(database.prepare('SELECT * FROM token').all());
    database.close();
    expect(rows).to.include('siem').and.not.include(stdout.trim());
    expect((await launcher.firebreak(['audit'])).stdout).to.include('token add');
  });

  it('refuses a second token of a name, and a scope or a network that is none', async () => {
    await makeToken(launcher, 'siem');
    for (const [args, message] of [
      [['add', 'siem'], 'there is a token named siem already'],
      [['add', 'other', '--scope', 'root'], '--scope: expected alarm, read, operate'],
      [['add', 'other', '--network', 'x'], '--network:'],
      [['add', 'other', '--expires', 'soon'], '--expires: expected a duration'],
      [['revoke', 'other'], 'no token is named "other"'],
      [['make', 'other'], 'expected firebreak token add NAME'],
    ] as const) {
      const { exit, stderr } = await launcher.firebreak(['token', ...args]);
      expect({ exit, isTold: stderr.includes(message) }, stderr).to.deep.equal({ exit: 2, isTold: true });
    }
  });
});

describe('firebreak serve, its firewall unreachable', function () {
  this.timeout(240_000);
  let launcher: Launcher;
  let serving: Serving;
  let token: string;

  before(async () => {
    launcher = makeLauncher(
      { edge: { host: '127.0.0.1', port: 9 } },
      { ansible: { playbook_command: '/bin/false', warm: 0 } },
    );
    token = await makeToken(launcher, 'siem');
    serving = await startServing(launcher, token);
  });

  after(async () => {
    await stopServing(serving);
    launcher.remove();
  });

  it('answers 202 with the ids of what is in the ledger', async () => {
    const { status, json } = await serving.post(generic, alarm);
    expect(status).to.equal(202);
    const { alarm: id, blocks } = json.alarms[0]!;
    expect(id).to.match(/^[0-9A-Z]{26}$/);
    const { stdout } = await launcher.firebreak(['show', blocks[0]!.id]);
    expect(stdout).to.include('203.0.113.7').and.include('token siem, by http from 127.0.0.1');
  });

  it('takes a list, and records it whole or not at all', async () => {
    const good = await serving.post(
      generic,
      [1, 2, 3].map((last) => ({ ...alarm, src_ip: `203.0.113.1${last}` })),
    );
    expect([good.status, good.json.alarms.length]).to.deep.equal([202, 3]);
    const bad = await serving.post(generic, [
      { ...alarm, src_ip: '203.0.113.99' },
      { ...alarm, dst_port: '22;id', x: 1 },
      7,
    ]);
    expect(bad.status).to.equal(400);
    expect(bad.json.error.problems.map(({ path: place }) => place)).to.have.members(['1.dst_port', '1.x', '2']);
    expect((await launcher.firebreak(['list', '--state', 'all'])).stdout).not.to.include('203.0.113.99');
  });

  it('refuses what the policy refuses with 403, and records it', async () => {
    const { status, json } = await serving.post(generic, { ...alarm, src_ip: '127.0.0.1' });
    expect(status).to.equal(403);
    expect(json.error).to.deep.equal({ code: 'refused', message: 'refused: 127.0.0.1 is loopback (protected always)' });
    expect(json.alarms[0]!.blocks[0]!.state).to.equal('refused');
  });

  it('blocks single hosts only', async () => {
    const network = await serving.post(generic, { ...alarm, src_ip: '203.0.113.0/24' });
    expect([network.status, network.json.error.problems[0]!.path]).to.deep.equal([400, 'src_ip']);
  });

  it('records a request with an Idempotency-Key once', async () => {
    const send = async (body: object) => serving.post(generic, body, { 'idempotency-key': 'k-1' });
    const [first, again] = [await send({ ...alarm, dst_port: 443 }), await send({ ...alarm, dst_port: 443 })];
    expect(again.json.alarms[0]!.alarm).to.equal(first.json.alarms[0]!.alarm);
    const other = await send({ ...alarm, dst_port: 444 });
    expect(other.json.alarms[0]!.alarm).not.to.equal(first.json.alarms[0]!.alarm);
    const both = await Promise.all([1, 2].map(async () => send({ ...alarm, dst_port: 445 })));
    expect(both[0]!.json.alarms[0]!.alarm).to.equal(both[1]!.json.alarms[0]!.alarm);
    const { answer } = await launcher.json(['list']);
    const counts = answer.blocks.filter(({ port }) => port === '443' || port === '445').map(({ alarms }) => alarms);
    expect(counts).to.deep.equal([1, 1]);
  });

  it('tells an unknown sender nothing', async () => {
    for (const authorization of ['Bearer fbt_wrong', 'Basic eDp5', 'Bearer', `Basic ${token}`]) {
      const { status, text } = await serving.post(generic, alarm, { authorization });
      expect([401, 429]).to.include(status);
      expect(text).not.to.include('siem');
    }
    const inUrl = await serving.send('POST', `${generic}?token=${token}`, {
      headers: { authorization: 'none' },
      body: '{}',
    });
    expect([401, 429]).to.include(inUrl.status);
  });

  it('takes a token as the password of basic authentication', async () => {
    const authorization = `Basic ${Buffer.from(`graylog:${token}`).toString('base64')}`;
    expect((await serving.post(generic, alarm, { authorization })).status).to.equal(202);
  });

  it('refuses a body that is too large, not JSON, compressed or too deep', async () => {
    const { status: large } = await serving.post(generic, `"${'x'.repeat(1024 * 1024)}"`);
    const { status: type } = await serving.post(generic, alarm, { 'content-type': 'text/plain' });
    const { status: encoding } = await serving.post(generic, alarm, { 'content-encoding': 'gzip' });
    const { status: broken } = await serving.post(generic, '{');
    const { status: deep } = await serving.post(generic, `${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    const { status: many } = await serving.post(generic, Array(1001).fill(alarm));
    expect({ large, type, encoding, broken, deep, many }).to.deep.equal({
      ...{ large: 413, type: 415, encoding: 415, broken: 400, deep: 400, many: 400 },
    });
  });

  it('answers 404 for an unknown source, and keeps read from alarm tokens', async () => {
    expect((await serving.post('/api/v1/alarms/none', alarm)).status).to.equal(404);
    expect((await serving.get('/nothing')).status).to.equal(404);
    const reader = await makeToken(launcher, 'reader', '--scope', 'read');
    const { status, json } = await serving.post(generic, alarm, { authorization: `Bearer ${reader}` });
    expect([status, json.error.message]).to.deep.equal([403, 'token reader has the scope read, not alarm']);
  });

  it('refuses a token from another network, of another source, revoked or expired', async () => {
    const secrets = {
      elsewhere: await makeToken(launcher, 'elsewhere', '--network', '192.0.2.0/24'),
      wazuh: await makeToken(launcher, 'wazuh', '--source', 'wazuh'),
      gone: await makeToken(launcher, 'gone'),
    };
    await launcher.firebreak(['token', 'revoke', 'gone']);
    const statuses = await Promise.all(
      Object.values(secrets).map(
        async (each) => (await serving.post(generic, alarm, { authorization: `Bearer ${each}` })).status,
      ),
    );
    expect(statuses.slice(0, 2)).to.deep.equal([403, 403]);
    expect([401, 429]).to.include(statuses[2]);
  });

  it('is alive and ready, for everyone', async () => {
    const health = await serving.get('/healthz', { authorization: 'none' });
    expect([health.status, health.text]).to.deep.equal([200, 'ok\n']);
    const { status, json } = await serving.get('/readyz', { authorization: 'none' });
    expect([status, json]).to.deep.equal([200, { ready: true }]);
  });

  it('is known to the doctor where sources are configured', async () => {
    const check = async (listen: string, sources: object) => checkServe(aConfig({ serve: { listen, sources } }));
    const here = serving.url.replace('http://', '');
    expect(await check(here, {})).to.deep.equal([]);
    const [found] = await check(here, { wazuh: { preset: 'wazuh' } });
    expect(found).to.include({ state: 'ok', detail: `firebreak serve answers on ${here}` });
    const [missing] = await check('127.0.0.1:9', { wazuh: { preset: 'wazuh' } });
    expect(missing).to.include({ state: 'note', name: 'HTTP' });
  });

  it('holds what exceeds the limits with 409', async () => {
    launcher.configure({ policy: { limits: { per_minute: 1 } } });
    const held = await startServing(launcher, token);
    try {
      const statuses: number[] = [];
      for (const last of [1, 2]) {
        statuses.push((await held.post(generic, { ...alarm, src_ip: `198.51.100.${last}` })).status);
      }
      expect(statuses.at(-1)).to.equal(409);
    } finally {
      await stopServing(held);
      launcher.configure({ policy: {} });
    }
  });
});

describe('firebreak serve', function () {
  this.timeout(240_000);
  let edge: Firewall;
  let launcher: Launcher;

  before(async () => {
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge) });
  });

  after(async () => {
    launcher.remove();
    await edge.stop();
  });

  it('blocks, proves within ?wait=, and ends with 0 on SIGTERM', async () => {
    const serving = await startServing(launcher, await makeToken(launcher, 'siem'));
    const { status, json } = await serving.post(`${generic}?wait=60s`, alarm);
    expect(status).to.equal(200);
    const { state, exit, blocks, run } = json.alarms[0]!;
    expect({ state, exit, changed: blocks[0]!.changed, batch: run?.batch }).to.deep.equal({
      ...{ state: 'active', exit: 0, changed: true, batch: 1 },
    });
    const { status: bad } = await serving.post(`${generic}?wait=2h`, alarm);
    expect(bad).to.equal(400);
    const { exit: end, stderr } = await stopServing(serving);
    expect({ end, stderr }).to.deep.equal({ end: 0, stderr: '' });
  });

  it('applies what others queue, as firebreak run does', async () => {
    await launcher.firebreak(['freeze', 'maintenance']);
    const { answer } = await launcher.json(['block', '203.0.113.20', '192.168.1.10', '22']);
    await launcher.firebreak(['unfreeze']);
    const serving = await startServing(launcher, '');
    await waitUntil('the block', async () => {
      const found = await launcher.json(['list', '--source', '203.0.113.20']);
      return found.answer.blocks[0]?.state === 'active';
    });
    expect(answer.blocks[0]!.state).to.equal('pending');
    await stopServing(serving);
  });

  describe('started by systemd with a socket', () => {
    /** What systemd does: listens, then becomes the program, with the socket as descriptor 3. */
    const activate = (address: string, many = 1): string[] => [
      ...['python3', '-c'],
      `
import os, socket, sys
listening = socket.socket()
listening.bind((sys.argv[1], 0))
listening.listen()
os.dup2(listening.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=sys.argv[2])
print("bound to %s:%d;" % listening.getsockname(), flush=True)
os.execvp(sys.argv[3], sys.argv[3:])
`,
      ...[address, String(many)],
    ];

    it('listens on it, whatever its configuration names', async () => {
      const call = launcher.start(['serve'], { prefix: activate('127.0.0.1') });
      let printed = '';
      call.child.stdout?.on('data', (text: string) => (printed += text));
      await waitUntil('the address of the server', () => printed.includes('listening on'));
      const [, bound = ''] = /bound to (\S+);/.exec(printed) ?? [];
      expect(printed).to.include(`listening on http://${bound};`);
      expect((await fetch(`http://${bound}/healthz`)).status).to.equal(200);
      call.child.kill('SIGTERM');
      expect((await call.ended).exit).to.equal(0);
    });

    it('refuses one that others reach without TLS, and several', async () => {
      const open = await launcher.firebreak(['serve'], { prefix: activate('0.0.0.0') });
      expect(open.stderr).to.include('is reachable from other hosts');
      const several = await launcher.firebreak(['serve'], { prefix: activate('127.0.0.1', 2) });
      expect(several.stderr).to.include('systemd passes 2 sockets: name one ListenStream');
      expect([open.exit, several.exit]).to.deep.equal([2, 2]);
    });
  });

  it('refuses an address that others reach, without TLS', async () => {
    const { exit, stderr } = await launcher.firebreak(['serve', '--listen', '0.0.0.0:0']);
    expect(exit).to.equal(2);
    expect(stderr).to.include('tokens would cross the network in clear');
  });
});
