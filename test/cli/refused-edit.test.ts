import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, type Launcher } from '../lab/launcher.js';

const flow = ['203.0.113.7', '192.168.1.10', '22'];
const other = ['203.0.113.8', '192.168.1.10', '22'];

describe('a configuration that no edit may replace', function () {
  this.timeout(300_000);
  let edge: Firewall;
  let launcher: Launcher;

  before(async () => {
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge) });
    expect((await launcher.json(['block', ...flow])).exit).to.equal(0);
    // Two <type> in one rule of somebody else: well-formed, but pfSense's own parser refuses it.
    edge.writeConfig(edge.readConfig().replace('<type>pass</type>', '<type>pass</type><type>pass</type>'));
  });

  after(async () => {
    launcher.remove();
    await edge.stop();
  });

  const commands: readonly (readonly string[])[] = [
    ['block', ...other, '--check'],
    ['block', ...other],
    ['unblock', '203.0.113.7', '--check'],
    ['doctor'],
    ['reconcile'],
    ['reconcile', '--fix'],
    ['unblock', '203.0.113.7'],
  ];
  for (const command of commands) {
    it(`is exit 5 with the reason, and stays as it is: ${command.join(' ')}`, async () => {
      const before = edge.readConfig();
      const { exit, stdout, stderr } = await launcher.firebreak(command);
      expect(`${stdout}\n${stderr}`).to.match(
        /the edit (was|would) not (be )?put in place: pfSense's own parser refuses it/,
      );
      expect(exit).to.equal(5);
      expect(edge.readConfig()).to.equal(before);
    });
  }
});
