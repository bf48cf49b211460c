import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { bouncerKey, startLocalApi, type LocalApi } from '../lab/crowdsec.js';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeToken, startServing, stopServing, type Serving } from '../lab/http-server.js';
import { makeLauncher, settingsOf, waitUntil, type AnswerBlock, type Launcher } from '../lab/launcher.js';

describe('firebreak serve, as a bouncer of CrowdSec', function () {
  this.timeout(120_000);
  let edge: Firewall;
  let api: LocalApi;
  let launcher: Launcher;
  let serving: Serving | undefined;
  let token: string;

  before(async () => {
    edge = await startFirewall();
  });

  after(() => edge.stop());

  beforeEach(async () => {
    api = await startLocalApi();
  });

  afterEach(async () => {
    if (serving !== undefined) await stopServing(serving);
    serving = undefined;
    launcher.remove();
    await api.stop();
  });

  const start = async (settings: object = {}, firewall: object = settingsOf(edge)): Promise<void> => {
    launcher = makeLauncher({ edge: firewall });
    const keyFile = path.join(launcher.folder, 'crowdsec.key');
    writeFileSync(keyFile, `${bouncerKey}\n`);
    chmodSync(keyFile, 0o600);
    const crowdsec = {
      url: api.url,
      key_file: keyFile,
      every: '1s',
      destination: '192.168.1.10',
      port: 443,
      ...settings,
    };
    launcher.configure({ feeds: { crowdsec }, policy: { widest: { inet: 24 } } });
    token = await makeToken(launcher, 'reader', '--scope', 'operate');
    serving = await startServing(launcher, token);
  };

  const blocks = async (): Promise<readonly AnswerBlock[]> =>
    (await launcher.json(['list', '--state', 'all'])).answer.blocks;

  const statesOf = async (): Promise<Record<string, string>> =>
    Object.fromEntries((await blocks()).map(({ source, state }) => [source, state]));

  const waitFor = async (states: Record<string, string>): Promise<void> =>
    await waitUntil(JSON.stringify(states), async () => {
      const found = await statesOf();
      return Object.entries(states).every(([source, state]) => found[source] === state);
    });

  /** Waits until a request was answered after this call, and what it said is recorded. */
  const waitForRequests = async (many: number): Promise<void> => {
    const until = api.requests.length + many;
    await waitUntil(`${many} requests`, () => api.requests.length >= until);
  };

  it('blocks addresses and ranges as decided, and releases what is deleted', async () => {
    api.add('203.0.113.7', '203.0.112.0/24');
    await start();
    await waitFor({ '203.0.113.7': 'active', '203.0.112.0/24': 'active' });
    const [block] = await blocks();
    expect(block).to.include({ destination: '192.168.1.10', port: '443', protocol: 'tcp/udp' });
    expect(block?.description).to.contain('crowdsecurity');
    const lasts = Date.parse(block?.expires_at ?? '') - Date.parse(block?.created_at ?? '');
    expect(lasts).to.be.within(14_388_000, 14_391_000);
    api.add('203.0.113.8');
    await waitFor({ '203.0.113.8': 'active' });
    api.remove('203.0.113.7');
    await waitFor({ '203.0.113.7': 'released', '203.0.113.8': 'active', '203.0.112.0/24': 'active' });
    const startups = api.requests.map(({ path: target }) => new URL(target, api.url).searchParams.get('startup'));
    expect(startups[0]).to.equal('true');
    expect(new Set(startups.slice(1))).to.deep.equal(new Set(['false']));
  });

  it('leaves out what is not a ban of an address: captcha, simulated, a country, another scenario', async () => {
    api.add({ value: '203.0.113.1', type: 'captcha' }, { value: '203.0.113.2', simulated: true });
    api.add({ value: 'NL', scope: 'Country' }, { value: '203.0.113.3', scenario: 'acme/http-probing' });
    api.add({ value: '203.0.113.4', scope: 'session' }, { value: '203.0.113.5', type: 'whitelist' });
    api.add('203.0.113.6', { value: '203.0.113.6', duration: '2h' }, '2001:db8::7', '127.0.0.1');
    await start({ scenarios: ['crowdsecurity/'] });
    await waitFor({ '203.0.113.6': 'active' });
    expect(await statesOf()).to.deep.equal({ '203.0.113.6': 'active', '127.0.0.1': 'refused' });
    const [block] = (await blocks()).filter(({ source }) => source === '203.0.113.6');
    expect(block?.alarms).to.equal(1);
    expect(api.requests[0]?.path).to.contain('scenarios_containing=crowdsecurity');
  });

  it('releases no block that somebody else requested as well', async () => {
    api.add('203.0.113.7', '203.0.113.8');
    await start({ protocol: 'tcp' });
    await waitFor({ '203.0.113.7': 'active', '203.0.113.8': 'active' });
    expect((await launcher.firebreak(['block', '203.0.113.7', '192.168.1.10', '443'])).exit).to.equal(0);
    expect((await launcher.firebreak(['block', '203.0.113.8', '192.168.1.10', '22'])).exit).to.equal(0);
    api.remove('203.0.113.7', '203.0.113.8');
    await waitUntil('the release', async () => (await blocks()).some(({ state }) => state === 'released'));
    const left = (await launcher.json(['list'])).answer.blocks.map(({ source, port, state }) => [source, port, state]);
    expect(left).to.deep.equal([
      ['203.0.113.7', '443', 'active'],
      ['203.0.113.8', '22', 'active'],
    ]);
  });

  it('changes nothing while CrowdSec is unreachable, tells it, and catches up', async () => {
    api.add('203.0.113.7', '203.0.113.8');
    await start();
    await waitFor({ '203.0.113.7': 'active', '203.0.113.8': 'active' });
    for (const body of ['', '{"new": [{"value": 7}]}', '[]'])
      await during((response) => response.writeHead(200).end(body), 'not one of GET /v1/decisions/stream');
    await during((response) => response.destroy(), '');
    await during((response) => response.writeHead(403).end(), 'the key is refused');
    api.fail((response) => response.writeHead(500).end());
    await waitForRequests(2);
    const { stdout } = await launcher.firebreak(['status', '--json']);
    const { feeds } = JSON.parse(stdout) as { feeds: { crowdsec: Record<string, string | null> } };
    expect(feeds.crowdsec['message']).to.equal('the local API answered 500');
    expect([feeds.crowdsec['failing_since'], feeds.crowdsec['last_success_at']]).to.not.include(null);
    expect((await serving?.get('/metrics'))?.text).to.contain('firebreak_feed_failing{feed="crowdsec"} 1');
    expect((await launcher.firebreak(['doctor'])).stdout).to.match(/CrowdSec .*has failed since/);
    api.remove('203.0.113.7');
    api.add('203.0.113.9');
    await waitForRequests(1);
    expect(await statesOf()).to.deep.equal({ '203.0.113.7': 'active', '203.0.113.8': 'active' });
    api.fail(undefined);
    await waitFor({ '203.0.113.7': 'released', '203.0.113.8': 'active', '203.0.113.9': 'active' });
    expect((await blocks()).map(({ alarms }) => alarms)).to.deep.equal([1, 1, 1]);
    await waitUntil('the metrics', async () =>
      (await serving?.get('/metrics'))!.text.includes('firebreak_feed_failing{feed="crowdsec"} 0'),
    );
  });

  const during = async (answer: Parameters<LocalApi['fail']>[0], message: string): Promise<void> => {
    api.fail(answer);
    await waitForRequests(1);
    await waitUntil(`the status: ${message}`, async () =>
      (await launcher.firebreak(['status'])).stdout.includes(`unreachable since`),
    );
    await waitUntil(`the message: ${message}`, async () =>
      (await launcher.firebreak(['status', '--json'])).stdout.includes(message),
    );
  };

  it('takes over a long list at its start in small transactions, and does not record it again after a restart', async () => {
    const many = 1000;
    api.add(...Array.from({ length: many }, (_, index) => `10.${20 + (index >> 8)}.${index & 255}.9`));
    await start({}, { host: '127.0.0.1', port: 9 });
    const counted = async (): Promise<number> => {
      const { text } = (await serving?.get('/metrics'))!;
      return Number(/firebreak_blocks\{firewall="edge",state="under_way"\} (\d+)/.exec(text)?.[1] ?? 0);
    };
    await waitUntil('all blocks', async () => (await counted()) === many);
    await stopServing(serving!);
    serving = await startServing(launcher, token);
    await waitForRequests(3);
    const { text } = await serving.get('/metrics');
    expect(text).to.match(/^firebreak_alarms_total 0$/m);
    expect(await counted()).to.equal(many);
  });
});
