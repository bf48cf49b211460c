import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, type Answer, type Launcher } from '../lab/launcher.js';

describe('observe mode', function () {
  this.timeout(300_000);
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

  const block = (source: string) => launcher.json(['block', source, '192.168.1.10', '22']);
  const states = async (): Promise<string[]> =>
    (await launcher.json(['list'])).answer.blocks.map(({ source, state, alarms }) => `${source} ${state} ${alarms}`);

  it('makes alarms dry runs, leaves standing blocks as they are, still releases them, and ends', async () => {
    expect((await block('203.0.113.7')).answer.state).to.equal('active');
    expect((await launcher.firebreak(['observe', 'on'])).stdout).to.match(/^edge: observes only: /);
    const before = { config: edge.readConfig(), reloads: edge.reloads() };

    const { exit, answer } = await block('203.0.113.8');
    expect({ exit, state: answer.state, batch: answer.run?.batch }).to.deep.equal({
      exit: 0,
      state: 'observed',
      batch: 1,
    });
    expect((await block('203.0.113.8')).answer.run).to.equal(null);
    expect((await block('203.0.113.7')).answer.run).to.equal(null);
    expect((await block('192.168.1.50')).answer.state).to.equal('observed');
    expect({ config: edge.readConfig(), reloads: edge.reloads() }).to.deep.equal(before);
    expect(await states()).to.deep.equal(['203.0.113.7 active 2', '203.0.113.8 observed 2', '192.168.1.50 observed 1']);

    const { stdout } = await launcher.firebreak(['report', '--observed']);
    expect(stdout)
      .to.include('2 flows would have been blocked on edge\n1 of them alarmed again')
      .and.match(/own networks[^\n]*:\n.*\n +1 {2}192\.168\.1\.50 /);
    expect((await launcher.firebreak(['report'])).stdout).to.match(/^ +2 {2}observed /m);
    expect((await launcher.firebreak(['status'])).stdout).to.match(/^edge {2,}observes only {2,}1 /m);
    expect((await launcher.firebreak(['reconcile'])).exit).to.equal(0);
    expect((await launcher.firebreak(['doctor'])).stdout).to.match(
      /observe +observes only since .* by .*: alarms are dry runs\n[^]*\nfirewall edge observes only: nothing is blocked there\.\n$/,
    );

    expect((await launcher.json(['unblock', '203.0.113.7'])).answer.state).to.equal('released');
    expect(edge.reloads()).to.equal(before.reloads + 1);

    expect((await launcher.firebreak(['observe', 'off'])).stdout).to.equal(
      'edge: blocks again; 2 observed blocks ended\n',
    );
    expect(await states()).to.deep.equal([]);
    expect((await block('203.0.113.8')).answer.state).to.equal('active');
  });

  it('records what would have failed, once, and does not retry it', async () => {
    await launcher.firebreak(['observe', 'on']);
    const call = 'firebreak block 203.0.113.20 192.168.1.10 22 wen --json';
    const { stdout } = await launcher.firebreak(['gateway', '--config', launcher.configFile], {
      env: { SSH_ORIGINAL_COMMAND: call },
    });
    const [failed] = (JSON.parse(stdout) as Answer).blocks;
    expect(failed?.state).to.equal('observed');
    expect(failed?.reason).to.include('would have failed: ').and.include('interface wen does not exist');
    expect((await launcher.firebreak(['drain'])).exit).to.equal(0);
    const { stdout: status } = await launcher.firebreak(['status']);
    expect(status).to.match(/^edge {2,}observes only {2,}\d+ +0 /m);
    await launcher.firebreak(['observe', 'off']);
  });

  it('is set by the configuration, and "observe off" says so', async () => {
    launcher.configure({ firewalls: { edge: { ...settingsOf(edge), mode: 'observe' } } });
    const reloads = edge.reloads();
    expect((await block('203.0.113.9')).answer.state).to.equal('observed');
    expect(edge.reloads()).to.equal(reloads);
    const { exit, stdout } = await launcher.firebreak(['observe', 'off']);
    expect({ exit, stdout }).to.deep.equal({
      exit: 2,
      stdout: 'edge: still observes only: firewalls.edge.mode is observe\n',
    });
    expect((await launcher.json(['unblock', '203.0.113.9'])).answer.run).to.equal(null);
    expect((await launcher.firebreak(['observe', 'maybe'])).exit).to.equal(2);
  });
});
