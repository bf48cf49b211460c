import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { sample, startFirewall, type Firewall, type FirewallOptions, type Version } from './firewall.js';
import { canMount } from './namespace.js';
import { findInLab } from './processes.js';
import { disableFilter, insertRule, loadRule, ruleXml, tracker } from './rule.js';
import { startSshd } from './sshd.js';
import { fileTraps, goodLine, goodLines, refusedRules, ruleTraps } from './traps.js';

const run = promisify(execFile);

interface Failure {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** What execFile rejects with; fails the test when it does not reject. */
async function findFailure(promise: Promise<unknown>): Promise<Failure> {
  try {
    await promise;
  } catch (error) {
    return error as Failure; // the shape execFile documents
  }
  throw new Error('It was expected to fail.');
}

async function waitFor(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error('It did not come about within 5 s.');
    await sleep(20);
  }
}

describe('the lab', function () {
  this.timeout(20_000);
  let firewall: Firewall;

  async function start(options: FirewallOptions = {}): Promise<Firewall> {
    firewall = await startFirewall(options);
    return firewall;
  }

  afterEach(async () => {
    await firewall.stop();
  });

  async function ssh(command: string, ...options: string[]): Promise<{ stdout: string; stderr: string }> {
    const { user, host, port, privateKeyFile, knownHostsFile } = firewall;
    const fixed = ['BatchMode=yes', 'ConnectTimeout=2', `UserKnownHostsFile=${knownHostsFile}`, 'ControlPath=none'];
    const args = [...options, ...fixed.flatMap((one) => ['-o', one]), '-F', 'none', '-i', privateKeyFile];
    return run('ssh', [...args, '-p', String(port), `${user}@${host}`, command]);
  }

  function countRule(): number {
    return firewall.readConfig().split(`<tracker>${tracker}</tracker>`).length - 1;
  }

  describe('turns a rule of the configuration into what filter.inc makes of it:', () => {
    for (const [version, expected] of goodLines) {
      it(`a good rule, by ${version}`, async () => {
        const { line } = await loadRule(await start({ version }), ruleXml());
        expect(line).to.equal(expected);
      });
    }

    it('a good rule, as pfctl -vvsr shows it', async () => {
      await loadRule(await start(), ruleXml());
      const { stdout } = await firewall.run('sbin/pfctl', ['-vvsr']);
      expect(stdout).to.match(/^@0 anchor "openvpn\/\*" all\n[^]*^@2 block drop in log inet all/m);
      expect(stdout).to.match(
        new RegExp(
          '^@\\d+ block drop in quick on em0 reply-to \\(em0 198\\.51\\.100\\.1\\) inet proto tcp from 203\\.0\\.113\\.7 ' +
            `to 192\\.168\\.1\\.10 port = ssh flags S/SA label "USER_RULE: blocked" label "id:${tracker}" ` +
            `ridentifier ${tracker}\\n  \\[ Evaluations: `,
          'm',
        ),
      );
    });

    it('a dhcp WAN has the router the provider gave', async () => {
      const { line } = await loadRule(await start({ config: sample('plain') }), ruleXml());
      expect(line).to.equal(goodLine);
    });

    for (const [title, fields, expected] of ruleTraps) {
      it(title, async () => {
        const { line, loaded } = await loadRule(await start(), ruleXml(fields));
        if (typeof expected === 'string') expect(line).to.equal(expected);
        else expect(line).to.match(expected);
        expect(loaded.length > 0).to.equal(line !== '' && !line.startsWith('#') && fields.source !== 'Web_Ports');
      });
    }

    it('floating rules come first, then groups, then interfaces', async () => {
      await start();
      const order = firewall.generatedRules().flatMap((line) => /ridentifier (17180000\d\d) /.exec(line)?.[1] ?? []);
      expect(order.slice(0, 4)).to.deep.equal(['1718000001', '1718000002', '1718000003', '1718000004']);
      expect(firewall.generatedRules().find((line) => line.includes('1718000001'))).to.match(
        /^block log {2}quick {2}on \{ {2}em0 {2}em2 {2}\} inet from \$Listed to any /,
      );
    });

    it('a line end hidden in CDATA makes a comment speak', async () => {
      const descr = '<![CDATA[x&#10;pass quick all #]]>';
      await loadRule(await start(), ruleXml({ interface: 'WAN', descr }));
      expect(await firewall.loadedRules()).to.include('pass quick all flags S/SA keep state');
      expect(firewall.readConfig()).to.include('&#10;');
    });
  });

  describe('loads all of a set or nothing, and exits 0 either way:', () => {
    for (const [title, fields, expected] of refusedRules) {
      it(title, async () => {
        await start();
        const before = await firewall.loadedRules();
        await loadRule(firewall, ruleXml(fields));
        expect(await firewall.loadedRules()).to.deep.equal(before);
        const status = firewall.reloadStatus();
        expect(status).to.not.include('Done');
        const report = status
          .slice(status.findIndex((line) => line.startsWith('There were error(s) loading')))
          .join('\n');
        expect(report).to.match(expected);
        expect(readFileSync(path.join(firewall.root, 'tmp/notices/notices.serial'), 'utf8')).to.include('filter_load');
        // rules.debug is written before it is loaded: no proof of anything.
        expect(firewall.generatedRules().join('\n')).to.include('blocked');
      });
    }

    it('Done is the last line where it went well', async () => {
      await loadRule(await start(), ruleXml());
      expect(firewall.reloadStatus().at(-1)).to.equal('Done');
      expect(firewall.reloads()).to.equal(1);
    });
  });

  describe('keeps its configuration as pfSense does:', () => {
    for (const version of ['2.6.0', '2.7.2', '2.8', 'master'] as const) {
      const kept = version === 'master';
      it(`a save between edit and removal of the cache ${kept ? 'keeps' : 'loses'} the edit (${version})`, async () => {
        await start({ version });
        if (kept) await sleep(1100); // it compares whole seconds
        firewall.writeConfig(insertRule(firewall.readConfig(), ruleXml()));
        await firewall.gui(['save']);
        expect(countRule()).to.equal(kept ? 1 : 0);
      });
    }

    it('a save after the removal keeps the edit, on many lines', async () => {
      await start();
      firewall.writeConfig(insertRule(firewall.readConfig(), ruleXml({ more: '<alarm>a-1</alarm>' })));
      firewall.dropCache();
      await firewall.gui(['save']);
      expect(countRule()).to.equal(1);
      expect(firewall.readConfig()).to.include(
        `\t\t<rule>\n\t\t\t<tracker>${tracker}</tracker>\n\t\t\t<type>block</type>\n`,
      );
      expect(firewall.readConfig()).to.include('\t\t\t<descr><![CDATA[blocked]]></descr>\n\t\t\t<alarm>a-1</alarm>\n');
    });

    it('a request that had read before the edit overwrites it', async () => {
      await start();
      await firewall.gui(['begin']);
      firewall.writeConfig(insertRule(firewall.readConfig(), ruleXml()));
      firewall.dropCache();
      await firewall.gui(['commit', 'edit-rule', '1718000005', '--descr', 'Jump host, again']);
      expect(countRule()).to.equal(0);
      expect(firewall.readConfig()).to.include('Jump host, again');
    });

    it('an edit in the pages keeps tracker and description and drops what the form does not know', async () => {
      await start();
      firewall.writeConfig(insertRule(firewall.readConfig(), ruleXml({ more: '<alarm>a-1</alarm>' })));
      firewall.dropCache();
      await firewall.gui(['edit-rule', String(tracker), '--descr', 'looked at']);
      await firewall.gui(['move-rule', String(tracker), '--to', '3']);
      expect(countRule()).to.equal(1);
      expect(firewall.readConfig()).to.include('looked at').and.not.include('<alarm>');
    });

    it('the pages add, disable and delete rules', async () => {
      await start();
      await firewall.gui([
        'add-rule',
        '--tracker',
        '42',
        '--type',
        'block',
        '--source',
        '203.0.113.9',
        '--descr',
        'by hand',
      ]);
      await firewall.gui(['disable-rule', '42']);
      expect(firewall.readConfig())
        .to.include('by hand')
        .and.match(/<tracker>42<\/tracker>[^]*?<disabled><\/disabled>/);
      await firewall.gui(['delete-rule', '42']);
      expect(firewall.readConfig()).to.not.include('by hand');
    });

    it('a save puts the file before it into the history', async () => {
      await start();
      const before = firewall.readConfig();
      await firewall.gui(['save']);
      expect(readFileSync(path.join(firewall.root, 'cf/conf/backup/config-1718000400.xml'), 'utf8')).to.equal(before);
    });

    for (const version of ['2.7.2', '2.8'] as const) {
      it(`a malformed file is replaced by the last good one (${version})`, async () => {
        await start({ version });
        firewall.writeConfig(`${firewall.readConfig()}\t\t<rule></rule>\n`);
        firewall.dropCache();
        const reload = firewall.run('etc/rc.filter_configure_sync');
        if (version === '2.7.2') expect((await findFailure(reload)).code).to.equal(255);
        else await reload;
        expect(firewall.readConfig()).to.equal(readFileSync(sample('office'), 'utf8'));
        await firewall.run('etc/rc.filter_configure_sync');
      });

      it(`an element twice ${version === '2.7.2' ? 'kills every request' : 'brings back the last good one'} (${version})`, async () => {
        await start({ version });
        const broken = insertRule(firewall.readConfig(), ruleXml({ more: '<type>pass</type>' }));
        firewall.writeConfig(broken);
        firewall.dropCache();
        if (version === '2.7.2') {
          const { code, stderr } = await findFailure(firewall.gui(['save']));
          expect(code).to.equal(255);
          expect(stderr).to.include('XML error: TYPE at line').and.include('cannot occur more than once');
          expect(firewall.readConfig()).to.equal(broken);
        } else {
          await firewall.gui(['save']);
          expect(countRule()).to.equal(0);
        }
      });
    }
  });

  describe('parses as pfSense does:', () => {
    for (const [title, change, expected] of fileTraps) {
      it(`${title}: ${expected ? 'no' : 'yes'}`, async () => {
        await start();
        const file = path.join(firewall.root, 'tmp/candidate.xml');
        writeFileSync(file, change(firewall.readConfig()));
        const check = firewall.run('usr/local/bin/php', [
          '-r',
          'exit(is_array(parse_xml_config($argv[1])) ? 0 : 1);',
          file,
        ]);
        if (expected === undefined) await check;
        else expect((await findFailure(check)).stdout).to.match(expected);
      });
    }

    it('and writes back byte for byte what it wrote, but for empty items of lists', async () => {
      await start();
      const others = process.env['FIREBREAK_SAMPLES'];
      const folder = others === undefined ? undefined : path.join(others, 'pfsense');
      const files = ['office', 'plain', 'empty-filter', 'no-filter'].map(sample);
      if (folder !== undefined) files.push(...readdirSync(folder).map((name) => path.join(folder, name)));
      const code = 'import config, sys; sys.stdout.write(config.dump(config.parse(open(sys.argv[1], "rb").read())))';
      for (const file of files.filter((name) => name.endsWith('.xml'))) {
        const args = ['-c', `import sys; sys.path.insert(0, ${JSON.stringify(`${firewall.root}/lab`)}); ${code}`, file];
        const { stdout } = await run(String(firewall.vars['ansible_python_interpreter']), args);
        expect(stdout).to.equal(readFileSync(file, 'utf8').replaceAll(/\t*<dnsserver><\/dnsserver>\n/g, ''));
      }
    });

    it('and loses comments, attributes, spaces and self-closed tags at a save', async () => {
      await start({ config: sample('selfclosed-filter') });
      firewall.writeConfig(firewall.readConfig().replace('\t<filter/>', '\t<!-- here -->\n\t<filter id="1"/>'));
      firewall.dropCache();
      await firewall.gui(['save']);
      expect(firewall.readConfig()).to.include('\n\t<filter></filter>\n').and.not.include('here');
    });

    it('and decodes entities once more inside CDATA, not outside', async () => {
      await start();
      for (const [descr, label] of [
        ['<![CDATA[blocked A &amp; B]]>', 'blocked A & B'],
        ['blocked A &amp;amp; B', 'blocked A &amp; B'],
      ] as const) {
        firewall.writeConfig(readFileSync(sample('office'), 'utf8'));
        const { line } = await loadRule(firewall, ruleXml({ descr }));
        expect(line).to.include(`label "USER_RULE: ${label}"`);
      }
    });
  });

  describe('reloads late when asked the asynchronous way:', () => {
    it('exits 0 at once, and the rule is there some time later', async () => {
      await start();
      firewall.setFaults({ reloadDelay: 0.5 });
      firewall.writeConfig(insertRule(firewall.readConfig(), ruleXml()));
      await firewall.run('etc/rc.filter_configure');
      expect((await firewall.loadedRules()).join()).to.not.include(String(tracker));
      expect(firewall.hasCache(), 'the stale cache is dropped').to.be.false;
      await waitFor(async () => (await firewall.loadedRules()).join().includes(`ridentifier ${tracker}`));
    });

    it('carries several requests out in one reload', async () => {
      await start();
      firewall.setFaults({ reloadDelay: 5 }); // long enough for four requests on a busy machine
      for (let requests = 0; requests < 4; requests += 1) await firewall.run('etc/rc.filter_configure');
      await waitFor(() => firewall.reloads() > 0);
      await sleep(400);
      expect(firewall.reloads()).to.equal(1);
    });

    it('ends a reload under way when it is stopped', async () => {
      await start();
      firewall.setFaults({ reloadHang: true, reloadDelay: 0 });
      await ssh(`${firewall.root}/etc/rc.filter_configure`);
      await waitFor(() => firewall.reloadStatus().join() === 'Initializing');
      await firewall.stop();
      expect(findInLab(path.join(firewall.root, 'ssh'))).to.deep.equal([]);
      expect(existsSync(firewall.root)).to.be.false;
    });
  });

  describe('has a lock:', () => {
    it('lockf runs a command under it and gives its exit code', async () => {
      await start();
      const lock = String(firewall.vars['pfsense_config_lock']);
      const { stdout } = await firewall.run('usr/bin/lockf', [
        '-k',
        '-t',
        '30',
        lock,
        'sh',
        '-c',
        'echo "$0 $1"',
        'a',
        'b c',
      ]);
      expect(stdout).to.equal('a b c\n');
      expect((await findFailure(firewall.run('usr/bin/lockf', ['-k', lock, 'sh', '-c', 'exit 7']))).code).to.equal(7);
    });

    it('lockf exits 75 when it was not to be had', async () => {
      await start();
      const release = await firewall.holdLock();
      const lock = String(firewall.vars['pfsense_config_lock']);
      const { code, stderr } = await findFailure(firewall.run('usr/bin/lockf', ['-k', '-t', '0', lock, 'true']));
      expect(code).to.equal(75);
      expect(stderr).to.include('already locked');
      expect((await findFailure(firewall.run('usr/bin/lockf', ['-k', '-s', '-t', '0', lock, 'true']))).stderr).to.equal(
        '',
      );
      await release();
      await firewall.run('usr/bin/lockf', ['-k', '-t', '0', lock, 'true']);
    });

    it('the pages wait for it', async () => {
      await start();
      const release = await firewall.holdLock();
      let saved = false;
      const save = firewall.gui(['save']).then(() => (saved = true));
      await sleep(200);
      expect(saved).to.be.false;
      await release();
      await save;
    });
  });

  describe('keeps states:', () => {
    const pairs = [
      { source: '203.0.113.7', destination: '192.168.1.10', port: 22 },
      { source: '203.0.113.7', destination: '192.168.1.11', port: 443 },
      { source: '2001:db8::7', destination: '2001:db8:1::10', port: 22 },
    ];

    it('a reload leaves them', async () => {
      await start();
      firewall.setStates(pairs);
      await loadRule(firewall, ruleXml());
      expect(firewall.states()).to.have.length(3);
      expect((await firewall.run('sbin/pfctl', ['-ss'])).stdout).to.include('192.168.1.10:22 <- 203.0.113.7:40000 ');
    });

    const kills: [string[], number, string][] = [
      [['-k', '203.0.113.7', '-k', '192.168.1.10'], 2, 'killed 1 states from 1 sources and 1 destinations\n'],
      [['-k', '203.0.113.7'], 1, 'killed 2 states from 1 sources and 0 destinations\n'],
      [['-k', '0.0.0.0/0', '-k', '192.168.1.0/24'], 1, 'killed 2 states from 1 sources and 1 destinations\n'],
      [['-k', '2001:db8::7', '-k', '2001:db8:1::10'], 2, 'killed 1 states from 1 sources and 1 destinations\n'],
    ];
    for (const [args, left, said] of kills) {
      it(`pfctl ${args.join(' ')}`, async () => {
        await start();
        firewall.setStates(pairs);
        expect((await firewall.run('sbin/pfctl', args)).stderr).to.equal(said);
        expect(firewall.states()).to.have.length(left);
      });
    }
  });

  describe('keeps both sides of a translated state:', () => {
    const attack = { source: '203.0.113.7', destination: '192.168.20.25', port: 25, protocol: 'udp' } as const;
    const forwarded = { ...attack, forwardedBy: { address: '198.51.100.2', port: 2525 } };
    const pfctl = async (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
      firewall.run('sbin/pfctl', args);

    it('and shows them, bound to their interface from 2.8 on, with an id of its own', async () => {
      await start({ version: '2.8' });
      firewall.setStates([forwarded, { ...attack, leaves: true }]);
      const ids = String.raw`\n {3}age .*\n {3}id: [0-9a-f]{16} creatorid: [0-9a-f]{8}\n`;
      expect((await pfctl('-ss', '-vv')).stdout).to.match(
        new RegExp(
          String.raw`^em0 udp 192\.168\.20\.25:25 \(198\.51\.100\.2:2525\) <- 203\.0\.113\.7:40000 .*${ids}` +
            String.raw`em1 udp 203\.0\.113\.7:40000 -> 192\.168\.20\.25:25 .*${ids}$`,
        ),
      );
      const { stdout } = await pfctl('-ss', '-vv');
      expect(new Set(stdout.match(/(?<=id: )[0-9a-f]{16}/g))).to.have.length(2);
    });

    it('and kills by the side on the wire alone: a forwarded one survives a kill by the inner address', async () => {
      await start();
      firewall.setStates([forwarded, { ...attack, leaves: true }]);
      expect((await pfctl('-k', attack.source, '-k', attack.destination)).stderr).to.include('killed 1 states');
      expect(firewall.states().join()).to.match(/^all udp 192\.168\.20\.25:25 \(198\.51\.100\.2:2525\) <- /);
      expect((await pfctl('-k', attack.source, '-k', '198.51.100.2')).stderr).to.include('killed 1 states');
      expect(firewall.states()).to.deep.equal([]);
    });

    it('and kills one by its id and creator', async () => {
      await start();
      firewall.setStates([forwarded, { ...attack, leaves: true }]);
      const { stdout } = await pfctl('-ss', '-vv');
      const [, id = '', creator = ''] = /id: (\S+) creatorid: (\S+)/.exec(stdout) ?? [];
      expect((await pfctl('-k', 'id', '-k', `${id}/1`)).stderr).to.equal('killed 0 states\n');
      expect((await pfctl('-k', 'id', '-k', `${id}/${creator}`)).stderr).to.equal('killed 1 states\n');
      expect(firewall.states().join()).to.match(/^all udp 203\.0\.113\.7:40000 -> /);
      expect((await findFailure(pfctl('-k', 'id', '-k', 'x'))).stderr).to.include('wrong id format');
    });
  });

  describe('shows what pf has loaded:', () => {
    const pfctl = async (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
      firewall.run('sbin/pfctl', args);

    it('translations, and with -vv their numbers', async () => {
      await start();
      const lines = [
        'rdr on em0 inet proto tcp from any to 198.51.100.2 port = smtp -> 192.168.20.25',
        'rdr pass on em0 inet proto tcp from any to 198.51.100.2 port = https -> 192.168.20.80',
      ];
      for (const line of lines) expect((await pfctl('-sn')).stdout.split('\n')).to.include(line);
      expect((await pfctl('-vvsn')).stdout).to.match(/^@0 no nat proto carp all\n {2}\[ Evaluations/);
      firewall.setFaults({ translationsFail: true });
      expect((await findFailure(pfctl('-sn'))).code).to.equal(1);
      await pfctl('-vvsr');
    });

    it('how many entries a table has, in a rule with -vv only', async () => {
      await start();
      expect((await pfctl('-sr')).stdout).to.match(/ from <Listed> to any /);
      const { stdout } = await pfctl('-vvsr');
      expect(stdout).to.match(/ to \(self:1\) port = ssh .* from <Listed:\d+> to any /s);
    });

    it('tables and what is in them', async () => {
      await start();
      expect((await pfctl('-sT')).stdout.split('\n')).to.include.members(['Listed', 'snort2c', 'LAN__NETWORK']);
      expect((await pfctl('-t', 'LAN__NETWORK', '-T', 'show')).stdout).to.equal(
        '   192.168.1.0/24\n   2001:db8:1::/64\n',
      );
      const test = async (table: string, ...addresses: string[]): Promise<{ stderr: string }> =>
        pfctl('-t', table, '-T', 'test', ...addresses);
      expect((await test('LAN__NETWORK', '192.168.1.66')).stderr).to.equal('1/1 addresses match.\n');
      const some = await findFailure(test('LAN__NETWORK', '192.168.1.66', '10.0.0.1'));
      expect([some.code, some.stderr]).to.deep.equal([2, '1/2 addresses match.\n']);
      expect((await findFailure(test('nowhere', '10.0.0.1'))).stderr).to.equal('pfctl: Table does not exist.\n');
    });

    it('interfaces and groups, and ifconfig who is in which', async () => {
      await start();
      expect((await pfctl('-sI')).stdout.split('\n')).to.include.members(['all', 'em0', 'em1', 'Inside']);
      const { stdout } = await firewall.run('sbin/ifconfig');
      expect(stdout).to.match(
        /^em2: flags=.*\n\tinet 192\.168\.20\.1 netmask 0xffffff00\n(?:\t.*\n)*\tgroups: Inside\n/m,
      );
      expect(stdout).to.match(/^em0: flags=.*\n\tinet 198\.51\.100\.2 netmask/m);
    });
  });

  describe('moves separators as the pages do:', () => {
    const tabs = ['wan', 'floatingrules', 'inside']
      .map((tab) => `<${tab}><sep0><row>fr0</row></sep0><sep1><row>fr2</row></sep1></${tab}>`)
      .join('');
    const withRows = (config: string): string =>
      config
        .replace(/\t\t<separator>\n(?:(?!<separator>)[^])*<\/separator>\n\t<\/filter>/, '\t</filter>')
        .replace('\n\t</filter>', `\n\t\t<separator>${tabs}</separator>\n\t</filter>`);
    const rows = (tab: string): string[] =>
      new RegExp(`<${tab}>[^]*?</${tab}>`).exec(separators())?.[0].match(/fr\d+/g) ?? [];
    const separators = (): string =>
      /<filter>\n[^]*<\/filter>/.exec(firewall.readConfig())?.[0].split('<separator>')[1] ?? '';

    async function prepare(version: Version): Promise<void> {
      await start({ version });
      firewall.writeConfig(withRows(firewall.readConfig()));
      firewall.dropCache();
    }

    it('easyrule moves all of its tab down, and no other; deletion moves those below it up', async () => {
      await prepare('2.7.2');
      await firewall.gui(['easyrule', '--interface', 'wan', '--source', '203.0.113.9']);
      expect(rows('wan')).to.deep.equal(['fr1', 'fr3']);
      expect(rows('floatingrules')).to.deep.equal(['fr0', 'fr2']);
      const added = /<tracker>(\d+)<\/tracker>(?:(?!<\/rule>)[^])*Easy Rule/.exec(firewall.readConfig())?.[1] ?? '';
      await firewall.gui(['delete-rule', added]);
      expect(rows('wan')).to.deep.equal(['fr0', 'fr2']);
      await firewall.gui(['delete-rule', '1718000001']); // the only floating rule
      expect(rows('floatingrules')).to.deep.equal(['fr0', 'fr1']);
      await firewall.gui(['delete-rule', '1718000003']); // the first of wan
      expect(rows('wan')).to.deep.equal(['fr0', 'fr1']);
    });

    it('puts the rule where its version does: first of all, or first of its tab', async () => {
      for (const [version, key, isFirst] of [
        ['2.6.0', 'wan', true],
        ['2.7.2', 'wan', false],
        ['2.7.2', 'Inside', true],
        ['2.8', 'Inside', false],
      ] as const) {
        await prepare(version);
        await firewall.gui(['easyrule', '--interface', key, '--source', '203.0.113.9']);
        const rules = firewall
          .readConfig()
          .split('<rule>')
          .filter((rule) => rule.includes('<tracker>'));
        const place = rules.findIndex((rule) => rule.includes('Easy Rule'));
        expect(place === 0, `${version} ${key}`).to.equal(isFirst);
        if (!isFirst) {
          const before = rules.slice(0, place).filter((rule) => rule.includes(`<interface>${key}</interface>`));
          expect(before.length).to.equal(0);
        }
        if (version !== '2.8') await firewall.stop();
      }
    });
  });

  describe('has a pf that can be disabled:', () => {
    const status = async (): Promise<string> => (await firewall.run('sbin/pfctl', ['-si'])).stdout;

    it('pfctl -d leaves the rules listed and the states, and a reload enables it again', async () => {
      await start();
      firewall.setStates([{ source: '203.0.113.7', destination: '192.168.1.10', port: 22 }]);
      const rules = await firewall.run('sbin/pfctl', ['-vvsr']);
      expect(await status()).to.match(/^Status: Enabled for \d+ days [\d:]+ +Debug: Urgent\n/);
      expect((await firewall.run('sbin/pfctl', ['-d'])).stderr).to.equal('pf disabled\n');
      expect((await findFailure(firewall.run('sbin/pfctl', ['-d']))).stderr).to.equal('pfctl: pf not enabled\n');
      expect(await status()).to.match(/^Status: Disabled for /);
      expect(await firewall.run('sbin/pfctl', ['-vvsr'])).to.deep.equal(rules);
      expect(firewall.states()).to.have.length(1);
      await firewall.run('etc/rc.filter_configure_sync');
      expect(await status()).to.match(/^Status: Enabled for /);
      expect((await findFailure(firewall.run('sbin/pfctl', ['-e']))).stderr).to.equal('pfctl: pf already enabled\n');
    });

    it('a reload with <disablefilter> disables it and loads nothing, and pfctl -e enables it', async () => {
      await start();
      const [loaded, generated] = [await firewall.loadedRules(), firewall.generatedRules()];
      firewall.writeConfig(insertRule(disableFilter(firewall.readConfig()), ruleXml()));
      firewall.dropCache();
      await firewall.run('etc/rc.filter_configure_sync');
      expect(await status()).to.match(/^Status: Disabled for /);
      expect(firewall.reloadStatus().at(-1)).to.equal('Filter is disabled.  Not loading rules.');
      expect(await firewall.loadedRules()).to.deep.equal(loaded);
      expect(firewall.generatedRules()).to.deep.equal(generated);
      expect((await firewall.run('sbin/pfctl', ['-e'])).stderr).to.equal('pf enabled\n');
      expect(await status()).to.match(/^Status: Enabled for /);
    });
  });

  describe('fails on command:', () => {
    it('pf refuses the next set only', async () => {
      await start();
      firewall.setFaults({ refuse: 'next' });
      expect((await loadRule(firewall, ruleXml())).loaded).to.have.length(0);
      expect(firewall.reloadStatus().at(-1)).to.match(/^There were error\(s\) loading the rules: /);
      await firewall.run('etc/rc.filter_configure_sync');
      expect((await firewall.loadedRules()).join()).to.include(String(tracker));
    });

    it('the proof comes late', async () => {
      await start();
      firewall.setFaults({ proofLate: 1 });
      await loadRule(firewall, ruleXml());
      const sees = async (): Promise<boolean> =>
        (await firewall.run('sbin/pfctl', ['-vvsr'])).stdout.includes(`ridentifier ${tracker}`);
      expect(await sees()).to.be.false;
      await waitFor(sees);
    });

    it('pfctl fails; programs are missing and come back', async () => {
      await start();
      firewall.setFaults({ pfctlFails: true });
      expect((await findFailure(firewall.run('sbin/pfctl', ['-sr']))).code).to.equal(1);
      firewall.setFaults({ pfctlMissing: true, phpMissing: true });
      expect((await findFailure(firewall.run('sbin/pfctl', ['-sr']))).code).to.equal('ENOENT');
      firewall.clearFaults();
      await firewall.run('sbin/pfctl', ['-sr']);
    });

    it('the disk is full, or read-only', async function () {
      if (!canMount()) this.skip();
      await start({ diskKilobytes: 128 });
      firewall.setDiskFull(true);
      expect((await findFailure(firewall.gui(['save']))).stderr).to.include('No space left on device');
      firewall.setDiskFull(false);
      await firewall.setDiskReadOnly(true);
      expect((await findFailure(firewall.gui(['save']))).stderr).to.include('Read-only file system');
      await firewall.setDiskReadOnly(false);
      await firewall.gui(['save']);
    });

    it('the firewall goes away, hangs, and comes back', async () => {
      await start();
      expect((await ssh('echo here')).stdout).to.equal('here\n');
      await firewall.goAway();
      expect((await findFailure(ssh('true'))).stderr).to.include('Connection refused');
      await firewall.comeBack();
      firewall.freeze();
      expect((await findFailure(ssh('true'))).stderr).to.match(/timed? ?out/i);
      await firewall.comeBack();
      expect((await ssh('echo here')).stdout).to.equal('here\n');
    });

    it('its host key changes; a wrong key is refused', async () => {
      await start();
      await firewall.changeHostKey();
      expect((await findFailure(ssh('true'))).stderr).to.include('HOST IDENTIFICATION HAS CHANGED');
      expect(
        (await findFailure(ssh('true', '-o', 'StrictHostKeyChecking=no', '-o', 'PubkeyAuthentication=no'))).code,
      ).to.equal(255);
    });
  });

  it('lets an account with a password in that no other server knows', async function () {
    if (!canMount()) this.skip();
    await start();
    const folder = mkdtempSync(path.join(tmpdir(), 'ossim-'));
    const sshd = await startSshd({ folder, passwordAccount: { user: 'ossim', password: 'a word' } });
    const login = async (password: string): Promise<{ stdout: string }> =>
      run('sshpass', [
        ...[
          '-p',
          password,
          'ssh',
          '-F',
          'none',
          '-p',
          String(sshd.port),
          '-o',
          `UserKnownHostsFile=${sshd.knownHostsFile}`,
        ],
        ...['ossim@127.0.0.1', 'whoami; echo "$HOME"'],
      ]);
    try {
      expect((await login('a word')).stdout).to.equal(`ossim\n${folder}\n`);
      expect((await findFailure(login('another'))).code).to.equal(5);
      expect(readFileSync('/etc/passwd', 'utf8')).to.not.include('ossim');
    } finally {
      await sshd.stop();
      rmSync(folder, { recursive: true });
    }
  });

  it('generates and loads 10,000 rules', async () => {
    await start();
    const rules = Array.from({ length: 10_000 }, (_, index) => {
      const source = `203.0.${Math.floor(index / 250)}.${(index % 250) + 1}`;
      return `\t\t<rule>${ruleXml({ source, tracker: String(tracker + index) })}</rule>\n`;
    }).join('');
    firewall.writeConfig(firewall.readConfig().replace('\n\t<filter>\n', `\n\t<filter>\n${rules}`));
    firewall.dropCache();
    await firewall.run('etc/rc.filter_configure_sync');
    expect((await firewall.loadedRules()).length).to.be.above(10_000);
  });
});
