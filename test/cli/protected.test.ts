import path from 'node:path';
import { expect } from 'chai';
import { openLedger } from '#firebreak/ledger/index.js';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, type Launcher } from '../lab/launcher.js';

const flow = ['203.0.113.7', '192.168.1.10', '22'];

describe('an address that becomes protected after it was blocked', function () {
  this.timeout(180_000);
  let edge: Firewall;
  let launcher: Launcher;

  beforeEach(async () => {
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge) }, { webhook: { url: 'http://127.0.0.1:9/none' } });
    expect((await launcher.json(['block', ...flow])).exit).to.equal(0);
  });

  afterEach(async () => {
    launcher.remove();
    await edge.stop();
  });

  const protect = (onProtected: string): void =>
    launcher.configure({ policy: { never_block: ['203.0.113.0/28'], on_protected: onProtected } });

  const hasRule = async (): Promise<boolean> => (await edge.loadedRules()).join('\n').includes('203.0.113.7');

  const causes = async (): Promise<string[]> => {
    const ledger = await openLedger({ file: path.join(launcher.stateDir, 'ledger.db') });
    try {
      return (await ledger.findIncidents('edge')).map(({ cause }) => cause);
    } finally {
      await ledger.close();
    }
  };

  it('is released by the next expire, with the reason and a message', async () => {
    protect('release');
    const { exit, stdout, stderr } = await launcher.firebreak(['expire']);
    expect(exit).to.equal(0);
    expect(stdout).to.match(/^edge: released 203\.0\.113\.7 /);
    expect(stderr).to.match(
      /edge: protected: 203\.0\.113\.7 -> .* is blocked, but 203\.0\.113\.7 is protected by policy\.never_block .*; releasing it/,
    );
    expect(await hasRule()).to.equal(false);
    expect(await causes()).to.deep.equal(['protected']);
    await launcher.firebreak(['expire']);
    expect(await causes()).to.deep.equal([]);
    const { answer } = await launcher.json(['list', '--state', 'released']);
    expect(answer.blocks[0]?.reason).to.match(/^203\.0\.113\.7 is protected by policy\.never_block/);
  });

  it('is not blocked once its alarm comes again: the answer says so when pf has no rule left', async () => {
    protect('release');
    const { exit, answer } = await launcher.json(['block', ...flow]);
    expect({ exit, state: answer.state }).to.deep.equal({ exit: 3, state: 'refused' });
    expect(answer.run).to.not.equal(null);
    expect(await hasRule()).to.equal(false);
  });

  it('is released by reconcile, without --fix', async () => {
    protect('release');
    const { exit, stdout } = await launcher.firebreak(['reconcile']);
    expect(exit, stdout).to.equal(0);
    expect(stdout).to.match(/^edge: protected: 203\.0\.113\.7 -> .*; releasing it\nedge: now matches the ledger/);
    expect(await hasRule()).to.equal(false);
  });

  it('stays blocked with on_protected: warn, and each answer says that it is, until reconcile --fix', async () => {
    protect('warn');
    const { stderr } = await launcher.firebreak(['drain']);
    expect(stderr).to.match(/protected: 203\.0\.113\.7 -> .* is blocked, but /);
    const again = await launcher.firebreak(['block', ...flow]);
    expect(again.stdout).to.match(/^edge: already blocked 203\.0\.113\.7 /);
    expect(again.exit).to.equal(0);
    const found = await launcher.firebreak(['reconcile']);
    expect(found.exit).to.equal(5);
    expect(found.stdout).to.match(/^edge: protected: 203\.0\.113\.7 /);
    expect(await hasRule()).to.equal(true);
    const fixed = await launcher.firebreak(['reconcile', '--fix']);
    expect(fixed.exit, fixed.stdout).to.equal(0);
    expect(await hasRule()).to.equal(false);
  });

  it('stays blocked where an operator overrode the policy', async () => {
    protect('release');
    const words = ['block', '203.0.113.8', '192.168.1.10', '22'];
    expect((await launcher.json([...words, '--override-policy', 'so be it'])).exit).to.equal(0);
    await launcher.firebreak(['expire']);
    const { exit, stdout } = await launcher.firebreak(words);
    expect({ exit, isBlocked: /^edge: already blocked/.test(stdout) }).to.deep.equal({ exit: 0, isBlocked: true });
    expect((await edge.loadedRules()).join('\n'))
      .to.include('203.0.113.8')
      .and.not.include('203.0.113.7');
  });
});
