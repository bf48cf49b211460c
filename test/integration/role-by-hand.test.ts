import { copyFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { runPlaybook, type PlaybookOptions, type PlaybookRun } from '../lab/ansible.js';
import { startFirewall, type Firewall } from '../lab/firewall.js';

const flow = { source: '203.0.113.7', destination: '192.168.1.10', port: '22', description: 'blocked' };
const other = { ...flow, source: '203.0.113.8' };

describe('what people do to a rule of ours:', function () {
  this.timeout(120_000);
  let firewall: Firewall;
  let tracker: number;

  beforeEach(async () => {
    firewall = await startFirewall();
    [tracker = 0] = (await apply({ present: [flow] })).result().added;
  });

  afterEach(async () => {
    await firewall.stop();
  });

  async function apply(options: PlaybookOptions): Promise<PlaybookRun> {
    const run = await runPlaybook(firewall, options);
    expect(run.code, run.text).to.equal(0);
    return run;
  }

  /** As an admin's editor would, in our rule only; then a reload. */
  async function editRule(change: (rule: string) => string): Promise<void> {
    const pattern = new RegExp(`\\t\\t<rule>\\n\\t{3}<id></id>\\n\\t{3}<tracker>${tracker}[^]*?</rule>\\n`);
    firewall.writeConfig(firewall.readConfig().replace(pattern, change));
    firewall.dropCache();
    await firewall.run('etc/rc.filter_configure_sync');
  }

  async function isBlocked(number = tracker): Promise<boolean> {
    const rules = await firewall.loadedRules();
    return rules.some((rule) => rule.startsWith('block ') && rule.endsWith(` ${number}`));
  }

  it('another description, another place, a save: nothing is to do', async () => {
    await firewall.gui(['edit-rule', String(tracker), '--descr', 'keep until Monday']);
    await firewall.gui(['move-rule', String(tracker), '--to', '2']);
    const text = firewall.readConfig();
    for (const args of [[], ['--check']]) {
      const run = await apply({ present: [flow], args });
      expect(run.changed()).to.be.false;
      expect(run.result()).to.deep.include({ present: [tracker], changed_by_hand: [], proven: true });
    }
    expect(firewall.readConfig()).to.equal(text);
    expect(text).to.contain('keep until Monday');
  });

  it('a backup from before it is restored: the next run adds it again, once', async () => {
    const history = path.join(firewall.root, 'cf/conf/backup');
    const [backup = ''] = readdirSync(history).filter((name) => name.endsWith('.xml'));
    copyFileSync(path.join(history, backup), firewall.configFile);
    firewall.dropCache();
    await firewall.run('etc/rc.filter_configure_sync');
    expect(await isBlocked()).to.be.false;
    const foretold = await apply({ present: [flow], args: ['--check'] });
    expect(foretold.changed()).to.be.true;
    const run = await apply({ present: [flow] });
    expect(run.result().added).to.deep.equal([tracker]);
    expect(await isBlocked()).to.be.true;
    expect((await apply({ present: [flow] })).changed()).to.be.false;
  });

  async function expectLeft(options: PlaybookOptions): Promise<void> {
    const text = firewall.readConfig();
    const run = await runPlaybook(firewall, options);
    expect(run.error()?.code).to.equal('changed_by_hand');
    expect(run.error()?.message).to.contain(String(tracker));
    const nothing = { added: [], present: [], removed: [], absent: [] };
    expect(run.result()).to.deep.include({ changed_by_hand: [tracker], ...nothing });
    expect(run.changed()).to.be.false;
    expect(firewall.readConfig()).to.equal(text);
  }

  it('it is disabled: that is told and left so, firebreak_fix mends it, a release takes it out', async () => {
    const disable = (rule: string): string => rule.replace('<descr>', '<disabled></disabled>\n\t\t\t<descr>');
    await editRule(disable);
    await expectLeft({ present: [flow] });
    const fixed = await apply({ present: [flow], vars: { firebreak_fix: true } });
    expect(fixed.result()).to.deep.include({ added: [tracker], changed_by_hand: [], proven: true });
    expect(await isBlocked()).to.be.true;
    await editRule(disable);
    expect((await apply({ absent: [flow] })).result().removed).to.deep.equal([tracker]);
    expect(firewall.readConfig()).to.not.contain(`<tracker>${tracker}</tracker>`);
  });

  it('it blocks a network by now: that is told and left so, by a release too unless firebreak_fix is set', async () => {
    await editRule((rule) => rule.replace('203.0.113.7<', '203.0.113.0/24<'));
    await expectLeft({ present: [flow] });
    await expectLeft({ absent: [flow] });
    expect(await isBlocked()).to.be.true;
    const fixed = await apply({ absent: [flow], vars: { firebreak_fix: true } });
    expect(fixed.result().removed).to.deep.equal([tracker]);
    expect(await isBlocked()).to.be.false;
  });

  it('the rest of a batch is carried out all the same', async () => {
    await editRule((rule) => rule.replace('<type>block', '<type>pass'));
    const run = await runPlaybook(firewall, { present: [flow, other] });
    expect(run.error()?.code).to.equal('changed_by_hand');
    expect(run.result()).to.deep.include({ changed_by_hand: [tracker], proven: true });
    expect(run.result().added).to.have.length(1);
    expect(await isBlocked(run.result().added[0])).to.be.true;
  });
});
