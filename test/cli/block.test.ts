import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { findNaming } from '../lab/processes.js';
import { listTree, makeLauncher, settingsOf, type Launcher } from '../lab/launcher.js';

const alarm = ['203.0.113.7', '192.168.1.10', '22', 'wan', 'block', 'inet', 'blocked', 'for', 'ssh', 'anomaly'];
const forever = ['--for', 'forever'];
const ulid = /^[0-9A-HJKMNP-TV-Z]{26}$/;
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** What pf has loaded against a source, as `pfctl -sr` shows it. */
async function loadedRule(firewall: Firewall, source: string): Promise<string | undefined> {
  return (await firewall.loadedRules()).find((rule) => rule.includes(`from ${source} to`));
}

async function countLoaded(firewall: Firewall, source: string): Promise<number> {
  return (await firewall.loadedRules()).filter((rule) => rule.includes(`from ${source} to`)).length;
}

const countRules = (firewall: Firewall, text: string): number => firewall.readConfig().split(text).length - 1;

/** Each run starts ansible-playbook, and nothing outlives it. */
const cold = { ansible: { warm: 0 } };

describe('firebreak block', function () {
  this.timeout(180_000); // several runs each, on a machine that may be busy
  let edge: Firewall;
  let launcher: Launcher;

  beforeEach(async () => {
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge) }, cold);
  });

  afterEach(async () => {
    launcher.remove();
    await edge.stop();
  });

  it('carries an alarm to a rule that pf has loaded, cuts the pair’s states, and says so in one line', async () => {
    edge.setStates([
      { source: '203.0.113.7', destination: '192.168.1.10', port: 22 },
      { source: '203.0.113.7', destination: '192.168.1.11', port: 443 },
    ]);
    const { exit, stdout, stderr } = await launcher.firebreak(['block', ...alarm, ...forever]);
    expect({ exit, stderr }).to.deep.equal({ exit: 0, stderr: '' });
    expect(stdout).to.match(
      /^edge: blocked 203\.0\.113\.7 -> 192\.168\.1\.10 tcp\/22 on wan(?:: in force and proven)?, tracker (2\d{9}), \d+\.\d s(?:: in force; not proven .*)? \(id [0-9A-Z]{6}, no end\)\n$/,
    );
    const tracker = /tracker (\d+)/.exec(stdout)?.[1];
    expect(await loadedRule(edge, '203.0.113.7')).to.equal(
      'block drop in quick on em0 reply-to (em0 198.51.100.1) inet proto tcp from 203.0.113.7 to 192.168.1.10 port = ssh ' +
        `flags any label "USER_RULE: blocked for ssh anomaly" label "id:${tracker}" ridentifier ${tracker}`,
    );
    expect(edge.states()).to.have.length(1);
    expect(edge.states()[0]).to.include('192.168.1.11:443');
  });

  it('is not in force where pf is disabled, whether the rule is there or not, and is retried', async () => {
    await edge.run('sbin/pfctl', ['-d']);
    const first = await launcher.json(['block', ...alarm]);
    expect(first.exit).to.equal(5);
    expect(first.answer.blocks[0]).to.deep.include({ state: 'pending', changed: false });
    expect(first.answer.blocks[0]?.reason).to.match(/^pf is disabled on the firewall, so no rule is in force/);
    await edge.run('sbin/pfctl', ['-e']);
    expect((await launcher.firebreak(['retry', '--all'])).exit).to.equal(0);
    expect(await countLoaded(edge, '203.0.113.7')).to.equal(1);
    await edge.run('sbin/pfctl', ['-d']);
    expect((await launcher.json(['block', ...alarm, '--recheck'])).exit).to.equal(5);
    expect((await launcher.json(['unblock', '203.0.113.7'])).exit).to.equal(5);
  });

  it('leaves no process behind, ssh’s master included', async () => {
    await launcher.firebreak(['block', ...alarm]);
    expect(findNaming(launcher.stateDir)).to.deep.equal([]);
  });

  it('stands once after a second call, a save in the GUI, and a third call, each of them exit 0', async () => {
    const first = await launcher.json(['block', ...alarm, ...forever]);
    const second = await launcher.json(['block', ...alarm, ...forever]);
    await edge.gui(['save']);
    const third = await launcher.json(['block', ...alarm, ...forever]);
    const told = [first, second, third].map(({ exit, answer }) => [exit, answer.state, answer.blocks[0]?.changed]);
    expect(told).to.deep.equal([
      [0, 'active', true],
      [0, 'active', false],
      [0, 'active', false],
    ]);
    expect(new Set([first, second, third].map(({ answer }) => answer.blocks[0]?.tracker)).size).to.equal(1);
    expect(countRules(edge, '<address>203.0.113.7</address>')).to.equal(1);
    expect(await countLoaded(edge, '203.0.113.7')).to.equal(1);
    expect(edge.reloads()).to.equal(1);
  });

  it('answers --json with every field of the contract and nothing else', async () => {
    const { exit, answer } = await launcher.json(['block', ...alarm, ...forever]);
    expect(exit).to.equal(0);
    expect(Object.keys(answer)).to.have.members(['alarm', 'state', 'exit', 'blocks', 'run']);
    expect(answer.alarm).to.match(ulid);
    expect(answer.state).to.equal('active');
    expect(answer.exit).to.equal(0);
    expect(answer.run?.id).to.match(ulid);
    expect(answer.run?.ms).to.be.above(0);
    expect(answer.run?.batch).to.equal(1);
    expect(answer.blocks).to.have.length(1);
    const { id, tracker, created_at, proof, warning, ...rest } = answer.blocks[0]!;
    expect(id).to.match(ulid);
    expect(tracker).to.be.within(2_000_000_000, 2_147_483_647);
    expect(created_at).to.match(isoTime);
    expect(proof).to.be.oneOf(['decides', 'listed']);
    expect(warning === null).to.equal(proof === 'decides');
    expect(rest).to.deep.equal({
      firewall: 'edge',
      state: 'active',
      changed: true,
      source: '203.0.113.7',
      destination: '192.168.1.10',
      port: '22',
      protocol: 'tcp',
      interface: 'wan',
      type: 'block',
      ipprotocol: 'inet',
      description: 'blocked for ssh anomaly',
      alarms: 1,
      expires_at: null,
      reason: null,
      tags: [],
      packets: 0,
      packets_at: null,
    });
  });

  it('foretells with --check, and changes neither firewall nor state', async () => {
    const before = { config: edge.readConfig(), loaded: await edge.loadedRules(), state: listTree(launcher.stateDir) };
    const { exit, answer } = await launcher.json(['block', ...alarm, ...forever, '--check']);
    expect(exit).to.equal(0);
    expect(answer).to.include({ check: true, exit: 0 });
    expect(answer.blocks[0]).to.include({ firewall: 'edge', changed: true, reason: null });
    const said = await launcher.firebreak(['block', ...alarm, '--check']);
    expect(said.exit).to.equal(0);
    expect(said.stdout).to.match(/^edge: would block 203\.0\.113\.7 -> .* \(dry run: nothing was changed\)\n$/);
    expect(edge.readConfig()).to.equal(before.config);
    expect(await edge.loadedRules()).to.deep.equal(before.loaded);
    expect(edge.reloads()).to.equal(0);
    expect(listTree(launcher.stateDir)).to.deep.equal(before.state);
    expect(listTree(launcher.home)).to.deep.equal([]);
  });

  it('foretells no change for what stands already', async () => {
    await launcher.firebreak(['block', ...alarm]);
    const { exit, answer } = await launcher.json(['block', ...alarm, '--check']);
    expect(exit).to.equal(0);
    expect(answer.blocks[0]?.changed).to.equal(false);
  });

  it('takes the same words as options, in any order, and the rest from the configuration', async () => {
    launcher.configure({ defaults: { description: 'from the configuration', duration: 'forever' } });
    const { exit, answer } = await launcher.json([
      ...['block', '--dst-port=443', '--protocol=UDP', '--src-ip=203.0.113.8', '--dst-ip=192.168.1.10'],
      ...[
        '--risk=7',
        '--plugin-id=4003',
        '--plugin-sid=1',
        '--sensor=192.168.1.5',
        '--event-id=e-1',
        '--backlog-id=b-1',
      ],
    ]);
    expect(exit).to.equal(0);
    expect(answer.blocks[0]).to.include({
      source: '203.0.113.8',
      destination: '192.168.1.10',
      port: '443',
      protocol: 'udp',
      interface: 'wan',
      type: 'block',
      ipprotocol: 'inet',
      description: 'from the configuration',
    });
    expect(await loadedRule(edge, '203.0.113.8')).to.match(
      / inet proto udp from 203\.0\.113\.8 to 192\.168\.1\.10 port = https /,
    );
  });

  it('makes one rule of a flow, whether its words are positions or options', async () => {
    const first = await launcher.json(['block', '203.0.113.7', '192.168.1.10', '22', ...forever]);
    const second = await launcher.json([
      ...['block', '--src-ip', '203.0.113.7', '--dst-ip', '192.168.1.10', '--dst-port', '22'],
      ...forever,
    ]);
    expect(second.answer.blocks[0]).to.include({ changed: false, tracker: first.answer.blocks[0]?.tracker });
  });

  it('takes --interface, --type, --ipproto and --description as well', async () => {
    const { exit, answer } = await launcher.json([
      ...['block', '--src-ip=192.168.1.77', '--dst-ip=192.168.20.9', '--dst-port=25', '--interface=lan'],
      ...['--type=reject', '--ipproto=inet', '--description', 'a host that sends spam', ...forever],
    ]);
    expect(exit).to.equal(0);
    expect(answer.blocks[0]).to.include({
      interface: 'lan',
      type: 'reject',
      ipprotocol: 'inet',
      description: 'a host that sends spam',
    });
    expect(await loadedRule(edge, '192.168.1.77')).to.match(
      /^block return in quick on em1 .*"USER_RULE: a host that sends spam"/,
    );
  });

  it('takes --description after positions as well as words', async () => {
    const { answer } = await launcher.json([
      'block',
      ...alarm.slice(0, 3),
      '--description',
      'seen by a sensor',
      '--check',
    ]);
    expect(answer.blocks[0]?.description).to.equal('seen by a sensor');
  });

  it('finds the interface by the longest prefix that holds the source', async () => {
    const { exit, answer } = await launcher.json(['block', '192.168.1.77', '192.168.20.9', '25', ...forever]);
    expect(exit).to.equal(0);
    expect(answer.blocks[0]?.interface).to.equal('lan');
    expect(await loadedRule(edge, '192.168.1.77')).to.include(' on em1 ');
  });

  it('writes inet6 for IPv6, in one spelling, and cuts its states', async () => {
    edge.setStates([{ source: '2001:db8:ffff::7', destination: '2001:db8:1::10', port: 22 }]);
    const first = await launcher.json(['block', '2001:DB8:FFFF:0::7', '2001:db8:1:0:0::10', '22', ...forever]);
    expect(first.exit).to.equal(0);
    expect(first.answer.blocks[0]).to.include({
      source: '2001:db8:ffff::7',
      destination: '2001:db8:1::10',
      ipprotocol: 'inet6',
      changed: true,
    });
    expect(await loadedRule(edge, '2001:db8:ffff::7')).to.match(
      / inet6 proto tcp from 2001:db8:ffff::7 to 2001:db8:1::10 port = ssh /,
    );
    expect(edge.states()).to.deep.equal([]);
    const second = await launcher.json(['block', '2001:db8:ffff::7', '2001:db8:1::10', '22', 'wan', 'block', 'inet6']);
    expect(second.answer.blocks[0]).to.include({ changed: false, tracker: first.answer.blocks[0]?.tracker });
  });

  it('blocks every port of a protocol that has none', async () => {
    const { exit, answer } = await launcher.json(['block', '203.0.113.7', '192.168.1.10', '0', '--protocol', 'any']);
    expect(exit).to.equal(0);
    expect(answer.blocks[0]).to.include({ protocol: 'any', port: '' });
    expect(await loadedRule(edge, '203.0.113.7')).to.match(/ inet from 203\.0\.113\.7 to 192\.168\.1\.10 label /);
  });

  it('keeps a run’s record in a folder for its owner alone, and nothing anywhere else', async () => {
    const { answer } = await launcher.json(['block', ...alarm, ...forever]);
    const [run = ''] = launcher.runs();
    expect(path.basename(run)).to.equal(answer.run?.id);
    const events = readFileSync(path.join(run, 'events.jsonl'), 'utf8');
    expect(events).to.include('"event": "start"').and.include('"event": "stats"');
    expect(listTree(launcher.home)).to.deep.equal([]);
  });
});

describe('firebreak block on several firewalls', function () {
  this.timeout(180_000); // several runs each, on a machine that may be busy
  let edge: Firewall;
  let depot: Firewall;
  let launcher: Launcher;

  beforeEach(async () => {
    [edge, depot] = await Promise.all([startFirewall(), startFirewall()]);
    launcher = makeLauncher({ edge: settingsOf(edge), depot: settingsOf(depot) }, cold);
  });

  afterEach(async () => {
    launcher.remove();
    await Promise.all([edge.stop(), depot.stop()]);
  });

  it('blocks on all of them, one line each', async () => {
    const { exit, stdout } = await launcher.firebreak(['block', ...alarm]);
    expect(exit).to.equal(0);
    expect(stdout.split('\n').map((line) => line.split(':')[0])).to.have.members(['edge', 'depot', '']);
    expect(await countLoaded(edge, '203.0.113.7')).to.equal(1);
    expect(await countLoaded(depot, '203.0.113.7')).to.equal(1);
  });

  it('blocks on the named one only', async () => {
    const { exit, answer } = await launcher.json(['block', ...alarm, '--firewall', 'depot']);
    expect(exit).to.equal(0);
    expect(answer.blocks.map(({ firewall }) => firewall)).to.deep.equal(['depot']);
    expect(await countLoaded(edge, '203.0.113.7')).to.equal(0);
    expect(await countLoaded(depot, '203.0.113.7')).to.equal(1);
  });

  it('answers as the worst of them, and still blocks on the other', async () => {
    await depot.goAway();
    const { exit, answer } = await launcher.json(['block', ...alarm]);
    expect(exit).to.equal(4);
    expect(answer).to.include({ exit: 4, state: 'pending' });
    expect(Object.fromEntries(answer.blocks.map(({ firewall, state }) => [firewall, state]))).to.deep.equal({
      edge: 'active',
      depot: 'pending',
    });
    expect(answer.blocks.find(({ firewall }) => firewall === 'depot')?.reason).to.match(/Connection refused/);
    expect(await countLoaded(edge, '203.0.113.7')).to.equal(1);
  });

  it('refuses a name that no firewall has, and tells those that there are', async () => {
    const { exit, stdout, stderr } = await launcher.firebreak(['block', ...alarm, '--firewall', 'egde']);
    expect({ exit, stdout }).to.deep.equal({ exit: 2, stdout: '' });
    expect(stderr).to.equal('firebreak: --firewall: expected edge or depot, got "egde"\n');
  });
});
