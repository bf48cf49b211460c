import { expect } from 'chai';
import { runPlaybook, type Flow, type PlaybookOptions, type PlaybookRun } from '../lab/ansible.js';
import { startFirewall, type Firewall } from '../lab/firewall.js';

/** Flows that differ in their source, from number `from` on. */
function makeFlows(count: number, from = 0): Flow[] {
  return Array.from({ length: count }, (_, index) => {
    const number = from + index;
    const source = `203.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
    return { source, destination: '192.168.1.10', port: '22', description: 'blocked for ssh anomaly' };
  });
}

/** Without what each save writes anew. */
function withoutRevision(text: string): string {
  return text.replace(/\t<revision>[^]*?<\/revision>\n/, '');
}

async function apply(firewall: Firewall, options: PlaybookOptions): Promise<PlaybookRun> {
  const run = await runPlaybook(firewall, options);
  expect(run.code, run.text.slice(-4000)).to.equal(0);
  return run;
}

describe('a batch, as the pfSense role carries it', function () {
  this.timeout(300_000);
  let firewall: Firewall;
  let before: string;

  beforeEach(async () => {
    firewall = await startFirewall();
    before = firewall.readConfig();
  });

  afterEach(async () => {
    await firewall.stop();
  });

  async function countLoaded(): Promise<number> {
    return (await firewall.loadedRules()).filter((rule) => / from 203\.\S+ to 192\.168\.1\.10 /.test(rule)).length;
  }

  it('adds and removes a thousand each with one reload, mixed in one run as well', async () => {
    const added = await apply(firewall, { present: makeFlows(1000) });
    expect(added.result().added).to.have.length(1000);
    expect(await countLoaded()).to.equal(1000);
    expect(firewall.reloads()).to.equal(1);

    await firewall.gui(['save']);
    const again = await apply(firewall, { present: makeFlows(1000) });
    expect(again.changed()).to.be.false;
    expect(again.result().present).to.have.members(added.result().added);
    expect(firewall.reloads()).to.equal(1);

    const mixed = { present: makeFlows(1000, 500), absent: makeFlows(500) };
    const foretold = await apply(firewall, { ...mixed, args: ['--check'] });
    expect(foretold.changed()).to.be.true;
    expect(firewall.reloads()).to.equal(1);
    const run = await apply(firewall, mixed);
    expect(run.result().added).to.have.length(500);
    expect(run.result().present).to.have.length(500);
    expect(run.result().removed).to.have.length(500);
    expect(foretold.result()).to.deep.include({ added: run.result().added, removed: run.result().removed });
    expect(await countLoaded()).to.equal(1000);
    expect(firewall.reloads()).to.equal(2);

    const removed = await apply(firewall, { absent: makeFlows(2000) });
    expect(removed.result().removed).to.have.length(1000);
    expect(removed.result().absent).to.have.length(1000);
    expect(await countLoaded()).to.equal(0);
    expect(withoutRevision(firewall.readConfig())).to.equal(withoutRevision(before));
  });

  it('adds ten thousand, knows them again, and removes them without a trace', async () => {
    const flows = makeFlows(10_000);
    const added = await apply(firewall, { present: flows });
    expect(added.result().added).to.have.length(10_000);
    expect(await countLoaded()).to.equal(10_000);
    const again = await apply(firewall, { present: flows });
    expect(again.changed()).to.be.false;
    expect(again.result().proven).to.be.true;
    await apply(firewall, { absent: flows });
    expect(await countLoaded()).to.equal(0);
    expect(firewall.readConfig()).to.equal(before);
    expect(firewall.reloads()).to.equal(2);
  });

  it('takes a flow that comes twice for one', async () => {
    const flow = makeFlows(1)[0]!;
    const run = await apply(firewall, { present: [flow, { ...flow, description: 'another word for it' }] });
    expect(run.result().added).to.have.length(1);
    expect(await countLoaded()).to.equal(1);
  });
});

describe('the states that the pfSense role cuts', function () {
  this.timeout(120_000);
  const flow = makeFlows(1, 7)[0]!;
  const { source } = flow;
  let firewall: Firewall;
  let all: string[];

  beforeEach(async () => {
    firewall = await startFirewall();
    firewall.setStates([
      { source, destination: '192.168.1.10', port: 22 },
      { source, destination: '192.168.1.10', port: 443 },
      { source, destination: '192.168.1.11', port: 22 },
      { source: '203.0.0.70', destination: '192.168.1.10', port: 22 },
      { source: '192.168.1.10', destination: source, port: 80 },
    ]);
    all = firewall.states();
  });

  afterEach(async () => {
    await firewall.stop();
  });

  it("are the blocked pair's and no others; a second run and a release cut nothing", async () => {
    await apply(firewall, { present: [flow] });
    expect(firewall.states()).to.deep.equal(all.slice(2));
    firewall.setStates([{ source, destination: '192.168.1.10', port: 22 }]);
    await apply(firewall, { present: [flow] });
    await apply(firewall, { absent: [flow] });
    expect(firewall.states()).to.have.length(1);
  });

  it("are the source's with pfsense_kill_states: source, and nobody's with none", async () => {
    await apply(firewall, { present: [flow], vars: { pfsense_kill_states: 'none' } });
    expect(firewall.states()).to.deep.equal(all);
    await apply(firewall, { absent: [flow] });
    await apply(firewall, { present: [flow], vars: { pfsense_kill_states: 'source' } });
    expect(firewall.states()).to.deep.equal(all.slice(3));
  });

  it('are those of each pair in a large batch', async () => {
    await apply(firewall, { present: makeFlows(100) });
    expect(firewall.states()).to.deep.equal([all[2], all[4]]);
  });

  it('are those of a forwarded connection too, on both sides of the firewall, and no others of the forward', async () => {
    const forwardedBy = { address: '198.51.100.2', port: 2222 };
    const udp = { source, destination: '192.168.1.10', port: 53, protocol: 'udp' } as const;
    firewall.setStates([
      { ...udp, forwardedBy },
      { ...udp, leaves: true },
      { ...udp, protocol: 'icmp', forwardedBy },
      { ...udp, destination: '192.168.1.11', forwardedBy },
      { ...udp, source: '203.0.0.70', forwardedBy },
      { ...udp, source: '203.0.0.70', leaves: true },
    ]);
    const others = firewall.states().slice(3);
    const run = await apply(firewall, { present: [{ ...flow, protocol: 'any', port: '' }] });
    expect(firewall.states()).to.deep.equal(others);
    expect(run.result().killed_states).to.equal(3);
  });

  it('are those of a network, IPv6 ones too', async () => {
    const inner = '2001:db8:1::10';
    firewall.setStates([
      { source: '203.0.113.7', destination: '192.168.1.10', port: 22 },
      { source: '2001:db8:7::1', destination: inner, port: 22, forwardedBy: { address: '2001:db8:ff::2', port: 22 } },
      { source: '2001:db8:7::2', destination: inner, port: 22 },
      { source: '2001:db8:70::2', destination: inner, port: 22 },
    ]);
    const others = [firewall.states()[0], firewall.states()[3]];
    await apply(firewall, { present: [{ ...flow, source: '2001:db8:7::/48', destination: inner }] });
    expect(firewall.states()).to.deep.equal(others);
  });

  it('are those of the pair where pf does not list its states', async () => {
    firewall.setFaults({ statesFail: true });
    const run = await runPlaybook(firewall, { present: [flow] });
    expect(run.code, run.text).to.equal(0);
    expect(run.text.replaceAll(/\s+/g, ' ')).to.include('open connections of the blocked flows may be left');
    expect(firewall.states()).to.deep.equal(all.slice(2));
  });

  it('stay where the rules were not proven', async () => {
    firewall.setFaults({ refuse: 'next' });
    const run = await runPlaybook(firewall, { present: [flow] });
    expect(run.code).to.equal(2);
    expect(run.error()?.code).to.equal('load_refused');
    expect(firewall.states()).to.deep.equal(all);
  });
});

describe('several firewalls in one run', function () {
  this.timeout(120_000);
  let firewalls: Firewall[];

  beforeEach(async () => {
    firewalls = [await startFirewall(), await startFirewall(), await startFirewall()];
  });

  afterEach(async () => {
    for (const firewall of firewalls) await firewall.stop();
  });

  it('have an outcome each: one is away, one refuses, and the third blocks', async () => {
    const [edge, away, refusing] = firewalls;
    await away!.goAway();
    refusing!.setFaults({ refuse: 'every' });
    const flows = makeFlows(2);
    const run = await runPlaybook(firewalls, { present: flows });
    expect(run.code).to.not.equal(0);
    expect(run.result('edge').added).to.have.length(2);
    expect(run.result('edge').proven).to.be.true;
    expect(run.stats('edge2')).to.equal(undefined);
    expect(run.unreachable('edge2')).to.be.a('string');
    expect(run.stats('edge3')).to.equal(undefined);
    expect(run.error('edge3')?.code).to.equal('load_refused');
    expect(edge!.readConfig()).to.contain(`<address>${flows[0]!.source}</address>`);
    expect(refusing!.readConfig()).to.not.contain(flows[0]!.source);

    await away!.comeBack();
    refusing!.clearFaults();
    const healed = await runPlaybook(firewalls, { present: flows });
    expect(healed.code, healed.text).to.equal(0);
    expect(healed.changed('edge')).to.be.false;
    for (const name of ['edge2', 'edge3']) expect(healed.result(name).added).to.have.members(run.result().added);
  });
});
