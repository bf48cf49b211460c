import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, type Launcher } from '../lab/launcher.js';

describe('the name of an interface', function () {
  this.timeout(180_000);
  let edge: Firewall;
  let launcher: Launcher;

  before(async () => {
    edge = await startFirewall();
    launcher = makeLauncher({ edge: { ...settingsOf(edge), interfaces: {} } });
  });

  after(async () => {
    launcher.remove();
    await edge.stop();
  });

  const block = (source: string, name: string, ...more: string[]): string[] => [
    ...['block', source, '192.168.1.10', '22', name, ...more],
  ];

  it('is a key of every pfSense ignoring case, before a firewall has told its interfaces', async () => {
    const { exit, answer } = await launcher.json(block('203.0.113.7', 'WAN'));
    expect({ exit, name: answer.blocks[0]?.interface }).to.deep.equal({ exit: 0, name: 'wan' });
  });

  it('is the one in the GUI once a run has read them, for a dry run as well', async () => {
    const { exit, answer } = await launcher.json(block('192.168.40.9', 'Guests'));
    expect({ exit, name: answer.blocks[0]?.interface }).to.deep.equal({ exit: 0, name: 'opt2' });
    expect((await edge.loadedRules()).join('\n')).to.match(/block drop in (?:log )?quick on em1\.40 .*192\.168\.40\.9/);
    const dry = await launcher.json(block('192.168.40.10', 'guests', '--check'));
    expect({ exit: dry.exit, name: dry.answer.blocks[0]?.interface }).to.deep.equal({ exit: 0, name: 'opt2' });
  });

  it('is refused by hand if it is wrong, and nothing is kept', async () => {
    for (const name of ['wen', 'STOREROOM']) {
      const { exit, answer } = await launcher.jsonError(block('203.0.113.8', name));
      expect(exit).to.equal(2);
      expect(answer.error.code).to.equal('alarm_invalid');
      expect(answer.error.message).to.match(
        /^interface: expected one of wan \(WAN\), lan \(LAN\), opt1 \(DMZ\), opt2 \(GUESTS\).*, the interfaces of edge/,
      );
    }
    const all = await launcher.json(['list', '--state', 'all', '--source', '203.0.113.8']);
    expect(all.answer.blocks).to.deep.equal([]);
  });

  it('of a sensor is kept as it is, and fails on the firewall', async () => {
    const command = `firebreak ${block('203.0.113.8', 'wen', '--json').join(' ')}`;
    const { exit, stdout, stderr } = await launcher.firebreak(['gateway', '--config', launcher.configFile], {
      env: { SSH_ORIGINAL_COMMAND: command },
    });
    expect(exit, stdout + stderr).to.equal(5);
    expect(stdout).to.include('interface wen does not exist');
  });
});
