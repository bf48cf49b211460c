import { expect } from 'chai';
import { runPlaybook, type Flow, type PlaybookOptions, type PlaybookRun } from '../lab/ansible.js';
import { startFirewall, type Firewall, type FirewallOptions } from '../lab/firewall.js';
import { insertRule, ruleXml } from '../lab/rule.js';

const flow: Flow = { source: '203.0.113.7', destination: '192.168.1.10', port: '22' };
const mail: Flow = { source: '203.0.113.7', destination: '192.168.20.25', port: '25' };
const shop: Flow = { source: '203.0.113.7', destination: '192.168.20.80', port: '443' };

const floatingPass = ruleXml({
  tracker: '1718000099',
  type: 'pass',
  interface: '',
  source: '<any></any>',
  port: '22',
  descr: 'Allow monitoring',
  more: '<floating>yes</floating><direction>in</direction><quick>yes</quick>',
});

describe('the pfSense role says who decides', function () {
  this.timeout(240_000);
  let firewall: Firewall;

  afterEach(async () => {
    await firewall.stop();
  });

  async function start(options: FirewallOptions = {}, change = (text: string): string => text): Promise<void> {
    firewall = await startFirewall(options);
    firewall.writeConfig(change(firewall.readConfig()));
    firewall.dropCache();
    await firewall.run('etc/rc.filter_configure_sync');
  }

  async function apply(options: PlaybookOptions): Promise<PlaybookRun> {
    const run = await runPlaybook(firewall, options);
    expect(run.code, run.text).to.equal(0);
    return run;
  }

  const levels = (run: PlaybookRun): string[][] => run.result().proof.map(({ level, message }) => [level, message]);

  for (const version of ['2.4.5', '2.7.2', '2.8', 'master'] as const) {
    it(`our rule, on pfSense ${version}, after the load and where it is in force already`, async () => {
      await start({ version });
      const first = await apply({ present: [flow, mail] });
      expect(levels(first)).to.deep.equal([
        ['decides', ''],
        ['decides', ''],
      ]);
      const second = await apply({ present: [flow, mail] });
      expect(second.changed()).to.be.false;
      expect(second.result().proof.map(({ tracker }) => tracker)).to.have.members(second.result().present);
      expect(levels(second)).to.deep.equal([
        ['decides', ''],
        ['decides', ''],
      ]);
    });
  }

  it('a floating quick rule, and once it is gone ours: in the result, in the output and by status.yml', async () => {
    const message = "floating rule 'Allow monitoring' (tracker 1718000099) passes it first";
    await start({}, (text) => insertRule(text, floatingPass));
    const run = await apply({ present: [flow] });
    expect(levels(run)).to.deep.equal([['shadowed', message]]);
    expect(run.result().proven).to.be.true;
    const [tracker] = run.result().added;
    expect(run.text.replaceAll(/\s+/g, ' ')).to.include(
      `203.0.113.7 -> 192.168.1.10 tcp/22 on wan: the rule stands, but its packets are not stopped: ${message}`,
    );
    expect(levels(await apply({ present: [flow] }))).to.deep.equal([['shadowed', message]]);

    const status = await apply({ playbook: 'status' });
    expect(status.stats()).to.deep.nested.include({
      'standing[0].tracker': tracker,
      'standing[0].proven': true,
      'standing[0].proof': 'shadowed',
      'standing[0].proof_message': message,
    });
    expect(status.text).to.include(
      `shadowed: block, 203.0.113.7 -> 192.168.1.10 tcp/22 on wan (tracker ${tracker}): floa`,
    );

    await firewall.gui(['--apply', 'delete-rule', '1718000099']);
    await firewall.run('etc/rc.filter_configure_sync');
    const later = await apply({ playbook: 'status' });
    expect(later.stats()).to.deep.nested.include({ 'standing[0].proof': 'decides', 'standing[0].proof_message': '' });
    expect(later.text).to.include(`in force: block, 203.0.113.7 -> 192.168.1.10 tcp/22 on wan (tracker ${tracker})`);
  });

  it('a forward that passes everything before any rule; not one whose packets meet the rules', async () => {
    await start();
    const found = levels(await apply({ present: [mail, shop] }));
    expect(found[0]).to.deep.equal(['decides', '']);
    expect(found[1]?.[0]).to.equal('shadowed');
    expect(found[1]?.[1]).to.match(
      /^the forward .* passes it before any rule, so no rule can block it; change the forward$/,
    );
  });

  describe('and with pfsense_place: auto it goes', () => {
    const auto = { pfsense_place: 'auto' };
    const web: Flow = { ...flow, port: '443' };
    const floating = '<floating>yes</floating>';

    /** Our rules in the file, by tracker. */
    const ours = (): Map<number, string> =>
      new Map(
        firewall
          .readConfig()
          .split('<rule>')
          .flatMap((rule) => {
            const tracker = Number(/<tracker>(2\d{9})<\/tracker>/.exec(rule)?.[1] ?? 0);
            return tracker === 0 ? [] : [[tracker, rule.split('</rule>')[0] ?? ''] as const];
          }),
      );

    it('ahead of a floating rule where one passes it, in one reload, and nowhere else', async () => {
      await start({}, (text) => insertRule(text, floatingPass));
      const reloads = firewall.reloads();
      const run = await apply({ present: [flow, web, shop], vars: auto, args: ['--diff'] });
      expect(firewall.reloads()).to.equal(reloads + 1);
      const [[first = 0, second = 0, third = 0], proof] = [run.result().added, levels(run)];
      expect(proof.map(([level]) => level)).to.deep.equal(['decides', 'decides', 'shadowed']);
      expect(proof[2]?.[1]).to.include(' passes it before any rule, so no rule can block it; change the forward');
      const isFloating = [first, second, third].map((tracker) => ours().get(tracker)?.includes(floating));
      expect(isFloating).to.deep.equal([true, false, false]);
      expect(run.text).to.include(`tcp/22 on wan (tracker ${first}), floating\n`);
      expect(run.text).to.include(`tcp/443 on wan (tracker ${second})\n`);

      const written = firewall.readConfig();
      for (const vars of [auto, { ...auto, firebreak_fix: true }, {}]) {
        const again = await apply({ present: [flow, web, shop], vars });
        expect(again.result().present).to.have.members([first, second, third]);
        expect(again.changed()).to.be.false;
      }
      await apply({ absent: [flow, web, shop], vars: auto });
      expect(firewall.readConfig()).to.equal(
        written.replaceAll(/\t\t<rule>\n\t{3}<id><\/id>\n\t{3}<tracker>2\d{9}[^]*?<\/rule>\n/g, ''),
      );
    });

    it('there at the next run, if a rule that passes it came later; a dry run and status.yml say so', async () => {
      await start();
      const [tracker = 0] = (await apply({ present: [flow, web], vars: auto })).result().added;
      expect(ours().get(tracker)).to.not.include(floating);
      firewall.writeConfig(insertRule(firewall.readConfig(), floatingPass));
      firewall.dropCache();
      await firewall.run('etc/rc.filter_configure_sync');
      const standing = async (vars: object): Promise<object[]> =>
        ((await apply({ playbook: 'status', vars: { ...vars } })).stats() as { standing: object[] }).standing;
      expect((await standing(auto)).filter((rule) => 'misplaced' in rule)).to.have.length(1);
      expect((await standing({})).filter((rule) => 'misplaced' in rule)).to.deep.equal([]);

      const before = firewall.readConfig();
      const dry = await apply({ present: [flow, web], vars: auto, args: ['--check', '--diff'] });
      expect(dry.text).to.include(`tcp/22 on wan (tracker ${tracker}), floating\n`);
      expect(firewall.readConfig()).to.equal(before);
      const run = await apply({ present: [flow, web], vars: auto });
      expect(run.result().added).to.deep.equal([tracker]);
      expect(run.result().proof.map(({ level }) => level)).to.deep.equal(['decides', 'decides']);
      expect(ours().get(tracker)).to.include(floating);
      expect(firewall.readConfig().split(`<tracker>${tracker}</tracker>`)).to.have.length(2);
      expect((await standing(auto)).filter((rule) => 'misplaced' in rule)).to.deep.equal([]);
    });

    it("ahead of a rule of its interface's group, and is rolled back there if pf refuses it", async () => {
      const guests = ruleXml({ tracker: '1718000099', type: 'pass', interface: 'Inside', source: '<any></any>' });
      await start({}, (text) => insertRule(text, guests));
      const inside: Flow = { source: '192.168.20.66', destination: '192.168.1.10', port: '22', interface: 'opt1' };
      const before = firewall.readConfig();
      firewall.setFaults({ refuse: 'next' });
      const refused = await runPlaybook(firewall, { present: [inside], vars: auto });
      expect(refused.error()?.code).to.equal('load_refused');
      expect(firewall.readConfig()).to.equal(before);
      const run = await apply({ present: [inside], vars: auto });
      expect(levels(run)).to.deep.equal([['decides', '']]);
      expect(ours().get(run.result().added[0] ?? 0)).to.include(floating);
    });
  });

  it("a rule of the interface's group, of any member if the block is the group's", async () => {
    const groupPass = ruleXml({
      tracker: '1718000099',
      type: 'pass',
      interface: 'Inside',
      source: '<any></any>',
      descr: 'Guests',
    });
    await start({}, (text) => insertRule(text, groupPass));
    const inside: Flow = { source: '192.168.20.66', destination: '192.168.1.10', port: '22', interface: 'opt1' };
    const [[level, message] = []] = levels(await apply({ present: [inside] }));
    expect([level, message]).to.deep.equal(['shadowed', "group rule 'Guests' (tracker 1718000099) passes it first"]);
    // Ours comes first among the rules of its group.
    expect(levels(await apply({ present: [{ ...inside, interface: 'Inside' }] }))).to.deep.equal([['decides', '']]);
  });

  it('by what is in a table, and claims nothing where a rule cannot be read', async () => {
    const listedPass = (source: string, more = ''): string =>
      ruleXml({
        tracker: '1718000099',
        type: 'pass',
        interface: '',
        source: `<address>${source}</address>`,
        descr: 'Allow probes',
        more: `<floating>yes</floating><direction>in</direction><quick>yes</quick>${more}`,
      });
    await start({}, (text) =>
      insertRule(text.replace(/(<name>Probes<\/name>[^]*?<address>)[^<]*/, '$1203.0.113.7'), listedPass('Probes')),
    );
    const other = { ...flow, source: '203.0.113.8' };
    expect(levels(await apply({ present: [flow, other] })).map(([level]) => level)).to.deep.equal([
      'shadowed',
      'decides',
    ]);

    firewall.writeConfig(firewall.readConfig().replace('<descr>Allow probes</descr>', '<tagged>T0</tagged>$&'));
    firewall.dropCache();
    await firewall.run('etc/rc.filter_configure_sync');
    const [[level, message] = []] = levels(await apply({ present: [flow] }));
    expect(level).to.equal('listed');
    expect(message).to.include("floating rule 'Allow probes' (tracker 1718000099)");
  });

  it('claims nothing, and blocks, where pf does not list its translations', async () => {
    await start();
    firewall.setFaults({ translationsFail: true });
    const run = await apply({ present: [flow] });
    expect(run.result().proven).to.be.true;
    expect(levels(run)).to.deep.equal([['listed', 'pfctl -sn does not list the translations']]);
  });

  it('in no dry run', async () => {
    await start();
    expect((await apply({ present: [flow], args: ['--check'] })).result().proof).to.deep.equal([]);
    await apply({ present: [flow] });
    expect((await apply({ present: [flow], args: ['--check'] })).result().proof).to.deep.equal([]);
  });
});
