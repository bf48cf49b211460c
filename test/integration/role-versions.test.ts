import { expect } from 'chai';
import { runPlaybook, type PlaybookOptions, type PlaybookRun } from '../lab/ansible.js';
import { sample, startFirewall, type Firewall, type Version } from '../lab/firewall.js';

const flow = { source: '203.0.113.7', destination: '192.168.1.10', port: '22', description: 'blocked' };

/** What pf calls the number of a rule: the proof reads it, and no label. */
const versions: readonly (readonly [Version, string])[] = [
  ['2.4.5', 'tracker'],
  ['2.6.0', 'ridentifier'],
  ['2.7.2', 'ridentifier'],
  ['2.8', 'ridentifier'],
  ['master', 'ridentifier'],
];

describe('the pfSense role', function () {
  this.timeout(120_000);
  let firewall: Firewall;

  afterEach(async () => {
    await firewall.stop();
  });

  async function apply(options: PlaybookOptions): Promise<PlaybookRun> {
    const run = await runPlaybook(firewall, options);
    expect(run.code, run.text).to.equal(0);
    expect(run.result().proven).to.be.true;
    return run;
  }

  for (const [version, word] of versions) {
    it(`blocks, knows its rule again, and releases on pfSense ${version}`, async () => {
      firewall = await startFirewall({ version, config: sample('plain') });
      const before = firewall.readConfig();
      const loadedBefore = await firewall.loadedRules();
      const [tracker] = (await apply({ present: [flow] })).result().added;
      const rules = (await firewall.loadedRules()).filter((rule) => rule.endsWith(` ${word} ${tracker}`));
      expect(rules).to.have.length(1);
      expect(rules[0]).to.match(/^block drop in quick on em0 .*from 203\.0\.113\.7 to 192\.168\.1\.10 port = ssh /);

      const written = firewall.readConfig();
      await firewall.gui(['save']);
      const saved = firewall.readConfig();
      const withoutRevision = (text: string): string => text.replace(/\t<revision>[^]*?<\/revision>\n/, '');
      expect(withoutRevision(saved)).to.equal(withoutRevision(written));
      const again = await apply({ present: [flow] });
      expect(again.changed()).to.be.false;
      expect(again.result().present).to.deep.equal([tracker]);
      expect(firewall.readConfig()).to.equal(saved);

      expect((await apply({ absent: [flow] })).result().removed).to.deep.equal([tracker]);
      expect(await firewall.loadedRules()).to.deep.equal(loadedBefore);
      expect(withoutRevision(firewall.readConfig())).to.equal(withoutRevision(before));
    });
  }
});
