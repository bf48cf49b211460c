import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeToken, startServing, stopServing, type Answered, type Serving } from '../lab/http-server.js';
import { makeLauncher, settingsOf, waitUntil, type Launcher } from '../lab/launcher.js';

const target = {
  ipv4_connection: { protocol: 'tcp', src_addr: '203.0.113.7', dst_addr: '192.168.1.10', dst_port: 22 },
};

describe('OpenC2 over HTTP', function () {
  this.timeout(240_000);
  let edge: Firewall;
  let launcher: Launcher;
  let serving: Serving;

  before(async () => {
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge) });
    serving = await startServing(launcher, await makeToken(launcher, 'orchestrator', '--scope', 'operate'));
  });

  after(async () => {
    await stopServing(serving);
    launcher.remove();
    await edge.stop();
  });

  const send = async (command: object, headers: Record<string, string> = {}): Promise<Answered> =>
    serving.post('/openc2', command, { 'content-type': 'application/openc2+json;version=1.0', ...headers });

  const status = async (command: object, headers?: Record<string, string>): Promise<unknown> =>
    (await send(command, headers)).json['status'];

  it('denies a connection, answers with the rule number, and deletes by it', async () => {
    const args = { duration: 3_600_000, pf: { drop_process: 'reject', direction: 'ingress' } };
    const denied = await send({ action: 'deny', target, args, actuator: { pf: { hostname: 'edge' } } });
    expect([denied.status, denied.json['status']]).to.deep.equal([200, 200]);
    const { pf } = denied.json['results'] as { pf: { rule_number: number } };
    const { answer } = await launcher.json(['list']);
    expect(answer.blocks[0]).to.include({ tracker: pf.rule_number, type: 'reject', state: 'active' });
    const other = `Bearer ${await makeToken(launcher, 'sender')}`;
    const remove = { action: 'delete', target: { 'pf:rule_number': pf.rule_number } };
    expect(await status(remove, { authorization: other })).to.equal(403);
    expect([await status(remove), await status(remove)]).to.deep.equal([200, 404]);
  });

  it('answers 102 to ack, nothing to none, and 403 to what the policy refuses', async () => {
    const to = (src_addr: string) => ({ ipv4_connection: { ...target.ipv4_connection, src_addr } });
    expect(await status({ action: 'deny', target: to('203.0.113.8'), args: { response_requested: 'ack' } })).to.equal(
      102,
    );
    const none = await send({ action: 'deny', target: to('203.0.113.9'), args: { response_requested: 'none' } });
    expect([none.status, none.text]).to.deep.equal([204, '']);
    expect(await status({ action: 'deny', target: to('127.0.0.1') })).to.equal(403);
    await waitUntil('both blocks', async () => {
      const { answer } = await launcher.json(['list']);
      return answer.blocks.filter(({ state }) => state === 'active').length === 2;
    });
  });

  it('tells its features, also in a message of the transfer', async () => {
    const request = { action: 'query', target: { features: ['pairs', 'profiles'] } };
    const { json } = await send({ headers: { request_id: '1' }, body: { openc2: { request } } });
    const results = json['results'] as { pairs: Record<string, string[]>; profiles: string[] };
    expect(results.profiles).to.deep.equal(['pf']);
    expect(results.pairs['deny']).to.deep.equal(['ipv4_connection', 'ipv6_connection']);
    expect((await send({ action: 'query', target: { features: [] } })).json['results']).to.deep.equal({});
  });

  it('tells the values that properties may have', async () => {
    const { json } = await send({ action: 'query', target: { properties: ['hostname', 'drop_process'] } });
    expect(json['results']).to.deep.equal({ pf: { hostname: ['edge'], drop_process: ['none', 'reject'] } });
  });

  for (const [what, expected, command] of [
    ['an action that is not supported', 501, { action: 'scan', target }],
    ['an action of the prototype', 501, { action: 'constructor', target }],
    ['a network, which needs no destination', 501, { action: 'deny', target: { ipv4_net: '203.0.113.0/24' } }],
    ['an unknown property', 501, { action: 'query', target: { properties: ['battery'] } }],
    ['no property', 400, { action: 'query', target: { properties: [] } }],
    ['a source port', 501, { action: 'deny', target: { ipv4_connection: { ...target.ipv4_connection, src_port: 5 } } }],
    ['an unknown argument', 501, { action: 'deny', target, args: { stop_time: 1 } }],
    ['an egress rule', 501, { action: 'deny', target, args: { pf: { direction: 'egress' } } }],
    ['a false acknowledgement', 501, { action: 'deny', target, args: { pf: { drop_process: 'false_ack' } } }],
    ['a group of firewalls', 501, { action: 'deny', target, actuator: { pf: { named_group: 'all' } } }],
    ['an unknown firewall', 404, { action: 'deny', target, actuator: { pf: { hostname: 'core' } } }],
    ['an address that is none', 400, { action: 'deny', target: { ipv4_connection: { src_addr: 'x', dst_addr: 'y' } } }],
    ['two targets', 400, { action: 'deny', target: { ...target, features: [] } }],
    ['no command', 400, {}],
    ['a rule number that is none', 400, { action: 'delete', target: { 'pf:rule_number': 'x' } }],
  ] as const) {
    it(`answers ${expected} to ${what}`, async () => {
      const { status: http, json } = await send(command);
      expect([http, json['status']]).to.deep.equal([expected, expected]);
    });
  }
});

describe('OpenC2 over HTTP, with a destination for networks', function () {
  this.timeout(240_000);
  let edge: Firewall;
  let launcher: Launcher;
  let serving: Serving;

  before(async () => {
    edge = await startFirewall();
    const fill = { destination: '192.168.1.10', port: 443 };
    launcher = makeLauncher(
      { edge: settingsOf(edge) },
      { policy: { widest: { inet: 24 } }, serve: { openc2: { fill } } },
    );
    serving = await startServing(launcher, await makeToken(launcher, 'orchestrator', '--scope', 'operate'));
  });

  after(async () => {
    await stopServing(serving);
    launcher.remove();
    await edge.stop();
  });

  const deny = (target: object, headers = {}) => serving.post('/openc2', { action: 'deny', target }, headers);

  it('denies a network and a host as the configuration fills them', async () => {
    expect((await deny({ ipv4_net: '203.0.113.0/24' })).status).to.equal(200);
    expect((await deny({ ipv6_net: '2001:db8::7' })).json['status']).to.equal(400); // the destination is IPv4
    const { answer } = await launcher.json(['list']);
    expect(answer.blocks).to.have.length(1);
    expect(answer.blocks[0]).to.include({ source: '203.0.113.0/24', destination: '192.168.1.10', port: '443' });
    expect(answer.blocks[0]).to.include({ protocol: 'tcp/udp', state: 'active' });
  });

  it('denies a network only for a token that may decide', async () => {
    const authorization = `Bearer ${await makeToken(launcher, 'sender')}`;
    expect((await deny({ ipv4_net: '198.51.100.0/24' }, { authorization })).status).to.equal(400);
    expect((await deny({ ipv4_net: '198.51.100.7/32' }, { authorization })).status).to.equal(200);
  });

  it('refuses what is not a network of the family, and tells that networks are supported', async () => {
    expect((await deny({ ipv4_net: '2001:db8::/64' })).status).to.equal(400);
    expect((await deny({ ipv6_net: { net: 1 } })).status).to.equal(400);
    const { json } = await serving.post('/openc2', { action: 'query', target: { features: ['pairs'] } });
    expect(json['results']).to.have.nested.property('pairs.deny').that.includes.members(['ipv4_net', 'ipv6_net']);
  });
});
