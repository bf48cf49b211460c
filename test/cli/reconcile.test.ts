import { rmSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { insertRule, ruleXml } from '../lab/rule.js';
import { makeLauncher, settingsOf, type Launcher } from '../lab/launcher.js';
import { readMessages } from '../lab/messages.js';

interface Drift {
  readonly kind: string;
  readonly message: string;
}

describe('firebreak reconcile', function () {
  this.timeout(120_000);
  let edge: Firewall;
  let launcher: Launcher;
  let tracker: string;

  beforeEach(async () => {
    edge = await startFirewall();
    const mail = { host: '127.0.0.1', port: 9, from: 'firebreak@example.org', to: ['soc@example.org'] };
    launcher = makeLauncher({ edge: settingsOf(edge) }, { mail });
    const { answer } = await launcher.json(['block', '203.0.113.7', '192.168.1.10', '22']);
    tracker = String(answer.blocks[0]?.tracker);
  });

  afterEach(async () => {
    launcher.remove();
    await edge.stop();
  });

  async function findDrift(): Promise<{ exit: number | null; kinds: string[] }> {
    const { exit, stdout } = await launcher.firebreak(['reconcile', '--json']);
    const document = JSON.parse(stdout) as { firewalls: { drift: Drift[] }[] }; // reconcile --json
    return { exit, kinds: document.firewalls.flatMap(({ drift }) => drift.map(({ kind }) => kind)) };
  }

  /** The subjects of the mails that were kept; nobody takes them. */
  const findMails = (): string[] =>
    readMessages(path.join(launcher.stateDir, 'ledger.db')).map(({ content }) => content['subject'] ?? '');

  const countRules = (): number => edge.readConfig().split(`<tracker>${tracker}</tracker>`).length - 1;

  async function expectMended(): Promise<void> {
    const { exit, stdout } = await launcher.firebreak(['reconcile', '--fix']);
    expect(stdout).to.match(/edge: now matches the ledger\n$/);
    expect(exit).to.equal(0);
    expect(await findDrift()).to.deep.equal({ exit: 0, kinds: [] });
  }

  it('finds nothing where ledger and firewall agree, and changes nothing', async () => {
    const before = edge.readConfig();
    const { exit, stdout } = await launcher.firebreak(['reconcile']);
    expect({ exit, stdout }).to.deep.equal({ exit: 0, stdout: 'edge: matches the ledger\n' });
    expect(edge.readConfig()).to.equal(before);
  });

  it('tells a rule that somebody deleted, and puts it back', async () => {
    await edge.gui(['--apply', 'delete-rule', tracker]);
    await edge.run('etc/rc.filter_configure_sync');
    const { exit, stdout } = await launcher.firebreak(['reconcile']);
    expect(exit).to.equal(5);
    expect(stdout)
      .to.match(/edge: missing: 203\.0\.113\.7 .* has no rule/)
      .and.include('reconcile --fix');
    await expectMended();
    expect(findMails()).to.deep.equal(['[firebreak] DRIFT: edge: 1 difference from the ledger: 203.0.113.7']); // once for both
    expect(countRules()).to.equal(1);
  });

  it('tells a rule that somebody disabled, and writes it anew', async () => {
    await edge.gui(['--apply', 'disable-rule', tracker]);
    expect(await findDrift()).to.deep.equal({ exit: 5, kinds: ['changed'] });
    await expectMended();
    expect(countRules()).to.equal(1);
    expect((await edge.loadedRules()).join()).to.include(`ridentifier ${tracker}`);
  });

  it('tells a released rule that a restored backup brought back, and removes it', async () => {
    const backup = edge.readConfig();
    await launcher.firebreak(['unblock', '203.0.113.7']);
    edge.writeConfig(backup);
    edge.dropCache();
    await edge.run('etc/rc.filter_configure_sync');
    expect(await findDrift()).to.deep.equal({ exit: 5, kinds: ['lingering'] });
    await expectMended();
    expect(countRules()).to.equal(0);
  });

  it('learns the rules of a ledger that was lost, and they have an end again', async () => {
    rmSync(path.join(launcher.stateDir), { recursive: true });
    expect(await findDrift()).to.deep.equal({ exit: 5, kinds: ['unknown'] });
    await expectMended();
    const { stdout } = await launcher.firebreak(['list']);
    expect(stdout).to.match(/active(?: \?)? +203\.0\.113\.7 +192\.168\.1\.10 tcp\/22.* \w{3} \d\d:\d\d/);
    expect(countRules()).to.equal(1);
  });

  it('learns how many packets the rules have stopped, and that some still come', async () => {
    const show = async (): Promise<Record<string, unknown>> => {
      const { stdout } = await launcher.firebreak(['show', '203.0.113.7', '--json']);
      return (JSON.parse(stdout) as { blocks: Record<string, unknown>[] }).blocks[0] ?? {};
    };
    expect(await show()).to.include({ packets: 0, packets_at: null });
    edge.setPackets({ [tracker]: 1200 });
    expect(await findDrift()).to.deep.equal({ exit: 0, kinds: [] });
    edge.setPackets({ [tracker]: 1234 });
    expect(await findDrift()).to.deep.equal({ exit: 0, kinds: [] });
    expect((await launcher.firebreak(['show', '203.0.113.7'])).stdout).to.match(
      /^packets +still coming: at least 1,234 packets stopped$/m,
    );
    await launcher.firebreak(['block', '203.0.113.8', '192.168.1.10', '22']); // a reload, so pf begins anew
    edge.setPackets({ [tracker]: 6 });
    await findDrift();
    const { packets, packets_at: at } = await show();
    expect(packets).to.equal(1240);
    expect(Date.now() - Date.parse(String(at))).to.be.within(0, 60_000);
    expect((await launcher.firebreak(['list', '--csv'])).stdout).to.match(/,packets,packets_at\n/);
  });

  it('moves a rule that another one bypasses, if the firewall is set so', async () => {
    const fields = { tracker: '1718000099', type: 'pass', interface: '', source: '<any></any>', descr: 'Monitoring' };
    const passes = ruleXml({ ...fields, more: '<floating>yes</floating><direction>in</direction><quick>yes</quick>' });
    edge.writeConfig(insertRule(edge.readConfig(), passes));
    edge.dropCache();
    await edge.run('etc/rc.filter_configure_sync');
    const before = edge.readConfig();
    const unset = await launcher.firebreak(['reconcile', '--fix']);
    expect(unset.exit).to.equal(5);
    expect(unset.stdout)
      .to.match(/^edge: bypassed: .*floating rule 'Monitoring' \(tracker 1718000099\) passes it first\n/)
      .and.match(/edge: a bypassed rule needs a change on the firewall \(docs\/proof\.md\)\n$/);
    expect(edge.readConfig()).to.equal(before);

    const settings = settingsOf(edge);
    const vars = { ...(settings['vars'] as object), pfsense_place: 'auto' }; // as the fixture has them
    launcher.configure({ firewalls: { edge: { ...settings, vars } } });
    const found = await launcher.firebreak(['reconcile']);
    expect(found.exit).to.equal(5);
    expect(found.stdout).to.match(/^edge: bypassed: .*\nedge: to repair it, run firebreak reconcile --fix\n$/);
    await expectMended();
    expect(countRules()).to.equal(1);
    const { answer } = await launcher.json(['block', '203.0.113.7', '192.168.1.10', '22']);
    expect(answer.blocks[0]).to.include({ state: 'active', proof: 'decides', warning: null });
  });

  it('says with exit 5 that pf is disabled, and what to do', async () => {
    await edge.run('sbin/pfctl', ['-d']);
    const { exit, stdout } = await launcher.firebreak(['reconcile']);
    expect(exit).to.equal(5);
    expect(stdout).to.match(
      /^edge: .*pf is disabled on the firewall, so no rule is in force: clear Disable Firewall in /,
    );
  });

  it('says with exit 4 that a firewall is away', async () => {
    await edge.goAway();
    const { exit, stdout } = await launcher.firebreak(['reconcile']);
    expect(exit).to.equal(4);
    expect(stdout).to.match(/edge: could not be queried: nothing listens there/);
  });
});
