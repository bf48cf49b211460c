import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeToken, startServing, stopServing, type Serving } from '../lab/http-server.js';
import { makeLauncher, settingsOf, type Launcher } from '../lab/launcher.js';

const promtool = '/usr/bin/promtool';

/** Checks the text line by line, as the grammar of OpenMetrics 1.0 has it. */
function findMistakes(text: string): string[] {
  const lines = text.split('\n');
  const sample =
    /^([a-z_]+)(\{[a-z_]+="(?:[^"\\\n]|\\.)*"(?:,[a-z_]+="(?:[^"\\\n]|\\.)*")*\})? (-?[0-9.]+(?:e[+-]?\d+)?)$/;
  const suffixes: Record<string, RegExp> = {
    counter: /^_(total|created)$/,
    gauge: /^$/,
    histogram: /^_(bucket|sum|count)$/,
  };
  const mistakes = lines.slice(-2).join('|') === '# EOF|' ? [] : ['it does not end in # EOF'];
  const seen = new Set<string>();
  let family = '';
  let type = '';
  for (const line of lines.slice(0, -2)) {
    const [, name, kind] = /^# TYPE (\w+) (\w+)$/.exec(line) ?? [];
    if (name !== undefined && kind !== undefined) {
      if (seen.has(name)) mistakes.push(`twice: ${name}`);
      seen.add(name);
      [family, type] = [name, kind];
      continue;
    }
    if (new RegExp(`^# (HELP ${family} .+|UNIT ${family} seconds)$`).test(line)) continue;
    const [, full = ''] = sample.exec(line) ?? [];
    if (!full.startsWith(family) || suffixes[type]?.test(full.slice(family.length)) !== true || seen.has(line))
      mistakes.push(line);
    seen.add(line);
  }
  return mistakes;
}

describe('the API of firebreak serve', function () {
  this.timeout(240_000);
  let edge: Firewall;
  let launcher: Launcher;
  let serving: Serving;
  let id: string;

  before(async () => {
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge) });
    serving = await startServing(launcher, await makeToken(launcher, 'soc', '--scope', 'operate'));
    const alarms = [7, 8, 9].map((last) => ({ src_ip: `203.0.113.${last}`, dst_ip: '192.168.1.10', dst_port: 22 }));
    const { json } = await serving.post('/api/v1/alarms/generic?wait=60s', [
      ...alarms,
      { ...alarms[0], src_ip: '127.0.0.1' },
    ]);
    id = json.alarms[0]!.blocks[0]!.id;
    expect(json.alarms.map(({ state }) => state)).to.deep.equal(['active', 'active', 'active', 'refused']);
  });

  after(async () => {
    await stopServing(serving);
    launcher.remove();
    await edge.stop();
  });

  it('lists blocks page by page, by state, source and firewall', async () => {
    const first = await serving.get('/api/v1/blocks?limit=2');
    const second = await serving.get(`/api/v1/blocks?limit=2&after=${String(first.json['next'])}`);
    const sources = [first, second].flatMap(({ json }) => json.blocks.map(({ source }) => source));
    expect(sources).to.deep.equal(['203.0.113.7', '203.0.113.8', '203.0.113.9']);
    expect(second.json['next']).to.equal(null);
    const refused = await serving.get('/api/v1/blocks?state=refused&firewall=edge');
    expect(refused.json.blocks.map(({ source }) => source)).to.deep.equal(['127.0.0.1']);
    const one = await serving.get('/api/v1/blocks?source=203.0.113.8');
    expect(one.json.blocks).to.have.length(1);
    const bad = ['state=x', 'limit=0', 'limit=1001', 'source=x', 'firewall=none'];
    const statuses = await Promise.all(bad.map(async (query) => (await serving.get(`/api/v1/blocks?${query}`)).status));
    expect(statuses).to.deep.equal([400, 400, 400, 400, 400]);
  });

  it('shows one block with its alarms, and 404 for none', async () => {
    const { status, json } = await serving.get(`/api/v1/blocks/${id}`);
    expect({ status, id: json['id'], count: (json['history'] as object[]).length }).to.deep.equal({
      status: 200,
      id,
      count: 1,
    });
    expect((await serving.get('/api/v1/blocks/01AAAAAAAAAAAAAAAAAAAAAAAA')).status).to.equal(404);
    expect((await serving.get('/api/v1/blocks/203.0.113.7')).status).to.equal(404);
  });

  it('lists alarms, firewalls, the report and the audit log', async () => {
    const alarms = await serving.get('/api/v1/alarms?limit=3');
    expect(alarms.json.alarms).to.have.length(3);
    const more = await serving.get(`/api/v1/alarms?limit=3&before=${String(alarms.json['next'])}`);
    expect([more.json.alarms.length, more.json['next']]).to.deep.equal([1, null]);
    const { json: firewalls } = await serving.get('/api/v1/firewalls');
    expect((firewalls['firewalls'] as { name: string; active: number }[])[0]).to.include({ name: 'edge', active: 3 });
    expect((await serving.get('/api/v1/report?since=1h')).json['alarms']).to.equal(4);
    const { json: audit } = await serving.get('/api/v1/audit?limit=5');
    expect(audit['entries']).to.have.length(5);
    const decided = (audit['entries'] as { event: string; by: string }[]).find(({ event }) => event === 'alarm');
    expect(decided?.by).to.equal('token soc, by http from 127.0.0.1');
  });

  it('extends, notes and releases a block, in the name of the token', async () => {
    const extended = await serving.post(`/api/v1/blocks/${id}/extend`, { duration: '7d' });
    expect(Date.parse(extended.json.blocks[0]!.expires_at ?? '')).to.be.greaterThan(Date.now() + 6 * 86_400_000);
    const noted = await serving.post(`/api/v1/blocks/${id}/comment`, { text: 'ticket 4711' });
    expect(noted.json.blocks[0]).to.include({ comment: 'ticket 4711' });
    const { status, json } = await serving.send('DELETE', `/api/v1/blocks/${id}`);
    expect({ status, state: json['state'], exit: json['exit'] }).to.deep.equal({
      status: 200,
      state: 'released',
      exit: 0,
    });
    const { stdout } = await launcher.firebreak(['audit', '--json']);
    expect(stdout).to.include('token soc, by http from 127.0.0.1');
  });

  it('allows a source, and refuses what cannot be decided', async () => {
    const { json: found } = await serving.get('/api/v1/blocks?source=203.0.113.8');
    const path = `/api/v1/blocks/${found.blocks[0]!.id}`;
    expect((await serving.post(`${path}/approve`, {})).status).to.equal(404);
    const problems = await serving.post(`${path}/allow`, { duration: 5, x: '' });
    expect(problems.json.error.problems.map((each) => each.path)).to.have.members(['reason', 'duration', 'x']);
    expect((await serving.post(`${path}/extend`, { duration: 'soon' })).status).to.equal(400);
    expect((await serving.post(`${path}/allow`, { reason: 'our scanner' })).json['state']).to.equal('released');
    expect((await launcher.firebreak(['allowed'])).stdout)
      .to.include('203.0.113.8')
      .and.include('our scanner');
  });

  it('offers lists with an ETag, and nothing new costs nothing', async () => {
    const { status, text, headers } = await serving.get('/lists/blocked.txt');
    expect({ status, text }).to.deep.equal({ status: 200, text: '203.0.113.9\n' });
    const again = await serving.get('/lists/blocked.txt', { 'if-none-match': headers.get('etag')! });
    expect([again.status, again.text]).to.deep.equal([304, '']);
    expect((await serving.get('/lists/blocked-ipv6.txt')).text).to.equal('');
    expect((await serving.get('/lists/constructor')).status).to.equal(404);
  });

  it('offers metrics that promtool, or a strict parser, accepts', async () => {
    const { text, headers } = await serving.get('/metrics');
    expect(headers.get('content-type')).to.include('application/openmetrics-text; version=1.0.0');
    expect(findMistakes(text)).to.deep.equal([]);
    expect(text)
      .to.include('firebreak_alarms_total 4')
      .and.include('firebreak_blocks{firewall="edge",state="active"} 1');
    expect(text).to.match(/firebreak_proof_seconds_bucket\{le="\+Inf"\} 3\n/);
    if (existsSync(promtool)) execFileSync(promtool, ['check', 'metrics'], { input: text.replace('# EOF\n', '') });
  });

  it('describes itself in OpenAPI 3.1', async () => {
    const { json } = await serving.get('/openapi.json', { authorization: 'none' });
    const paths = json['paths'] as Record<string, Record<string, { operationId: string }>>;
    expect(json['openapi']).to.equal('3.1.0');
    expect(Object.keys(paths)).to.include.members([
      '/api/v1/alarms/{source}',
      '/api/v1/blocks/{id}/approve',
      '/metrics',
    ]);
    const ids = Object.values(paths).flatMap((each) => Object.values(each).map(({ operationId }) => operationId));
    expect(new Set(ids).size).to.equal(ids.length);
  });

  it('gives a reader nothing to decide, and a stranger nothing', async () => {
    const reader = `Bearer ${await makeToken(launcher, 'reader', '--scope', 'read')}`;
    const { status } = await serving.send('DELETE', `/api/v1/blocks/${id}`, { headers: { authorization: reader } });
    expect([status, (await serving.get('/api/v1/blocks', { authorization: reader })).status]).to.deep.equal([403, 200]);
    for (const path of ['/api/v1/blocks', '/metrics', '/lists/blocked.txt', '/api/v1/audit']) {
      expect((await serving.get(path, { authorization: 'Bearer x' })).status).to.be.oneOf([401, 429]);
    }
  });
});
