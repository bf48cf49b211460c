import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, type Launcher } from '../lab/launcher.js';

describe('firebreak selftest', function () {
  this.timeout(240_000);
  let edge: Firewall;
  let launcher: Launcher;

  before(async () => {
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge), inner: { host: '127.0.0.1', port: 9 } });
  });

  after(async () => {
    launcher.remove();
    await edge.stop();
  });

  it('blocks and releases for real, leaves no rule, and tells how long each step took', async () => {
    const before = edge.reloads();
    const { exit, stdout } = await launcher.firebreak(['selftest', '--firewall', 'edge']);
    expect(stdout).to.match(
      /^edge: block +\d+\.\d s +blocked 203\.0\.113\.253 .*proven.*\nedge: release +\d+\.\d s .*203\.0\.113\.253.*\n$/,
    );
    expect(exit).to.equal(0);
    expect(edge.reloads() - before).to.equal(2);
    expect((await edge.loadedRules()).join()).to.not.include('203.0.113.253');
  });

  it('fails as a block would, for a firewall that is unreachable', async () => {
    const { exit, stdout } = await launcher.firebreak(['selftest', '--firewall', 'inner', '--json']);
    expect(exit).to.equal(4);
    const { firewalls } = JSON.parse(stdout) as { firewalls: { firewall: string; block: { exit: number } }[] };
    expect(firewalls.map(({ firewall, block }) => [firewall, block.exit])).to.deep.equal([['inner', 4]]);
  });
});
