import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { sample, startFirewall, type Firewall, type FirewallOptions } from '../lab/firewall.js';
import { makeLauncher, settingsOf, type AnswerBlock, type Launcher } from '../lab/launcher.js';
import { canMount } from '../lab/namespace.js';
import { makeKey } from '../lab/sshd.js';

const alarm = ['block', '203.0.113.7', '192.168.1.10', '22'];

describe('firebreak block, when something is wrong on the way,', function () {
  this.timeout(180_000); // several runs each, on a machine that may be busy
  let edge: Firewall;
  let launcher: Launcher;

  async function start(options: FirewallOptions = {}): Promise<void> {
    edge = await startFirewall(options);
    launcher = makeLauncher({ edge: settingsOf(edge) });
  }

  afterEach(async () => {
    launcher.remove();
    await edge.stop();
  });

  /** Blocks, expects this exit code, and gives the one block; the firewall must be as it was. */
  async function fail(exit: number, { rulesMayBeGone = false } = {}): Promise<AnswerBlock> {
    const before = { config: edge.readConfig(), loaded: await edge.loadedRules() };
    const { exit: code, answer } = await launcher.json(alarm);
    expect({ code, reason: answer.blocks[0]?.reason }).to.deep.equal({ code: exit, reason: answer.blocks[0]?.reason });
    expect(answer).to.include({ exit, state: 'pending' });
    expect(answer.blocks).to.have.length(1);
    expect(answer.blocks[0]).to.include({ state: 'pending', changed: false });
    expect(edge.readConfig()).to.equal(before.config);
    if (!rulesMayBeGone) expect(await edge.loadedRules()).to.deep.equal(before.loaded);
    return answer.blocks[0]!;
  }

  /** All is well again: the same alarm goes through. */
  async function succeed(): Promise<void> {
    const { exit, answer } = await launcher.json(alarm);
    expect(answer.blocks[0]?.reason).to.equal(null);
    expect(exit).to.equal(0);
    expect((await edge.loadedRules()).join()).to.include('from 203.0.113.7 to');
  }

  describe('exits 4 and says why', () => {
    it('where nothing listens; and blocks once the firewall is back', async () => {
      await start();
      await edge.goAway();
      expect((await fail(4)).reason).to.match(/^nothing listens there: check host and port, .*Connection refused/);
      await edge.comeBack();
      await succeed();
    });

    it('where the firewall takes the connection and hangs', async () => {
      await start();
      edge.freeze();
      expect((await fail(4)).reason).to.match(/^it does not answer: check host, port and the route to it .*timed out/);
      await edge.comeBack();
    });

    it('where the key is not one of the firewall’s', async () => {
      await start();
      const other = path.join(launcher.folder, 'other_key');
      await makeKey(other);
      launcher.configure({ firewalls: { edge: { ...settingsOf(edge), private_key_file: other } } });
      expect((await fail(4)).reason).to.match(
        /^it refuses the login: check user and private_key_file .*Permission denied/,
      );
    });

    it('where the firewall has another host key than the recorded one', async () => {
      await start();
      await edge.changeHostKey();
      expect((await fail(4)).reason).to.match(/^its host key has changed: .* known_hosts_file/);
    });

    it('where no host key is recorded', async () => {
      await start();
      const empty = path.join(launcher.folder, 'known_hosts');
      writeFileSync(empty, '');
      launcher.configure({ firewalls: { edge: { ...settingsOf(edge), known_hosts_file: empty } } });
      expect((await fail(4)).reason).to.match(/^its host key is not known: record it in known_hosts_file/);
    });

    it('where the host’s name leads nowhere', async () => {
      await start();
      launcher.configure({ firewalls: { edge: { ...settingsOf(edge), host: 'firewall.invalid' } } });
      expect((await fail(4)).reason).to.match(/^its name cannot be resolved: check host .*firewall\.invalid/);
    });
  });

  describe('exits 5, leaves the firewall as it was, and says why', () => {
    it('where config.xml is not there', async () => {
      await start();
      launcher.configure({
        firewalls: {
          edge: { ...settingsOf(edge), vars: { ...edge.vars, pfsense_config: `${edge.root}/nowhere.xml` } },
        },
      });
      expect((await fail(5)).reason).to.match(/^there is no \S+\/nowhere\.xml on the firewall \(see pfsense_config\)/);
    });

    const malformed: readonly (readonly [string, (text: string) => string, RegExp])[] = [
      ['is empty', () => '', /config\.xml is empty/],
      ['is malformed', (text) => text.replace('</filter>', ''), /config\.xml is not well-formed XML: line \d+, column/],
      [
        'has a second filter',
        (text) => text.replace('\n\t<filter>\n', '\n\t<filter></filter>\n\t<filter>\n'),
        /more than one <filter>/,
      ],
      ['is of another system', (text) => text.replaceAll('pfsense>', 'opnsense>'), /its root is not <pfsense>/],
    ];
    for (const [title, change, reason] of malformed) {
      it(`where config.xml ${title}`, async () => {
        await start();
        edge.writeConfig(change(edge.readConfig()));
        expect((await fail(5)).reason).to.match(reason);
        expect(edge.reloads()).to.equal(0);
      });
    }

    for (const [name, reason] of [
      ['opt9', /interface opt9 does not exist; enabled are: .*wan/],
      ['opt3', /interface opt3 is disabled; enabled are: .*wan/],
    ] as const) {
      it(`where the interface is not one of the firewall’s: ${name}`, async () => {
        await start();
        const before = edge.readConfig();
        const { exit, answer } = await launcher.json([...alarm, name]);
        expect(exit).to.equal(5);
        expect(answer.blocks[0]?.reason).to.match(reason);
        expect(edge.readConfig()).to.equal(before);
      });
    }

    it('where it takes none of a batch: each block is told its own reason', async () => {
      await start();
      await launcher.firebreak(['freeze']);
      for (const name of ['opt9', 'opt3']) await launcher.firebreak([...alarm, name]);
      const { exit, answer } = await launcher.json(['unfreeze']);
      expect(exit).to.equal(5);
      const reasons = answer.blocks.map(({ reason }) => reason).sort();
      expect(reasons.join('\n')).to.match(/interface opt3 is disabled.*\n.*interface opt9 does not exist/);
    });

    it('where pf refuses the set; the rule is taken out again', async () => {
      await start();
      edge.setFaults({ refuse: 'next' });
      expect((await fail(5)).reason).to.match(/^pf refused the rules: .*this run's rules were removed again/);
      await succeed();
    });

    it('where pf refuses every set, ours or not', async () => {
      await start();
      edge.setFaults({ refuse: 'every' });
      expect((await fail(5)).reason).to.match(/^pf refused the rules: .*this run's rules were removed/);
      edge.clearFaults();
      await succeed();
    });

    it('where the reload hangs; it is ended by the role itself', async () => {
      await start();
      edge.setFaults({ reloadHang: true });
      launcher.configure({
        firewalls: {
          edge: { ...settingsOf(edge), vars: { ...edge.vars, pfsense_reload_timeout: 1, pfsense_proof_timeout: 1 } },
        },
      });
      expect((await fail(5)).reason).to.match(/filter_configure_sync did not end within 1 s and was ended/);
      edge.clearFaults();
      await succeed();
    });

    it('where the firewall’s disk is full', async function () {
      if (!canMount()) this.skip();
      await start({ diskKilobytes: 128 });
      edge.setDiskFull(true);
      expect((await fail(5)).reason).to.match(/no space is left on the firewall's disk/);
      edge.setDiskFull(false);
      await succeed();
    });

    it('where pfctl is missing', async () => {
      await start();
      edge.setFaults({ pfctlMissing: true });
      expect((await fail(5)).reason).to.match(/pfctl/);
    });

    it('where the firewall has no Python where the configuration says', async () => {
      await start();
      launcher.configure({
        firewalls: {
          edge: { ...settingsOf(edge), vars: { ...edge.vars, ansible_python_interpreter: '/nowhere/python3' } },
        },
      });
      expect((await fail(5)).reason).to.match(/no Python where ansible_python_interpreter says/);
    });
  });

  describe('exits 0, for these are no faults:', () => {
    for (const name of ['no-filter', 'empty-filter', 'selfclosed-filter']) {
      it(`a configuration of the kind ${name}`, async () => {
        await start({ config: sample(name) });
        await succeed();
        await edge.gui(['save']);
        await succeed();
        expect(edge.readConfig().split('<address>203.0.113.7</address>')).to.have.length(2);
      });
    }

    it('<syslog><filter></filter> below the real filter', async () => {
      await start();
      const text = edge.readConfig();
      const syslog = /\t<syslog>\n[^]*?\t<\/syslog>\n/.exec(text)?.[0] ?? '';
      expect(syslog).to.include('<filter></filter>');
      edge.writeConfig(text.replace(syslog, '').replace('</pfsense>', `${syslog}</pfsense>`));
      edge.dropCache();
      await succeed();
      expect(edge.readConfig())
        .to.include('\t<filter>\n\t\t<rule>\n\t\t\t<id></id>\n')
        .and.include('<filter></filter>');
    });
  });
});

describe('firebreak block, when ansible-playbook', function () {
  this.timeout(180_000); // several runs each, on a machine that may be busy
  let edge: Firewall;
  let launcher: Launcher;
  let bin: string;

  before(async () => {
    edge = await startFirewall();
  });

  beforeEach(() => {
    launcher = makeLauncher({ edge: settingsOf(edge) });
    bin = path.join(launcher.folder, 'bin');
    mkdirSync(bin);
    symlinkSync(process.execPath, path.join(bin, 'node'));
  });

  afterEach(() => launcher.remove());

  after(async () => edge.stop());

  function writePlaybookCommand(lines: string): void {
    const file = path.join(bin, 'ansible-playbook');
    writeFileSync(file, `#!/bin/sh\n${lines}\n`);
    chmodSync(file, 0o755);
  }

  it('is missing, exits 5, keeps the block and says what to install', async () => {
    const { exit, answer } = await launcher.json(alarm, { env: { PATH: bin } });
    expect(exit).to.equal(5);
    expect(answer.state).to.equal('pending');
    expect(answer.blocks[0]?.reason).to.equal(
      `ansible-playbook: no such program on ${bin}; install ansible-core (apt-get install ansible-core) or set ansible.playbook_command`,
    );
    expect(edge.reloads()).to.equal(0);
  });

  it('is too old, exits 5 and says from which version on', async () => {
    writePlaybookCommand(
      'test "$1" = --version && echo "ansible-playbook 2.9.27" && exit 0; echo "ERROR! no" >&2; exit 4',
    );
    const { exit, answer } = await launcher.json(alarm, { env: { PATH: `${bin}:/usr/bin:/bin` } });
    expect(exit).to.equal(5);
    expect(answer.blocks[0]?.reason).to.match(/ansible-playbook is 2\.9: firebreak needs ansible-core 2\.14 or newer/);
  });

  it('may not be run, exits 5', async () => {
    launcher.configure({ ansible: { playbook_command: path.join(launcher.folder, 'firebreak.yml') } });
    const { exit, answer } = await launcher.json(alarm);
    expect(exit).to.equal(5);
    expect(answer.blocks[0]?.reason).to.include(launcher.configFile);
  });

  it('dies without a word, exits 5 and says so', async () => {
    writePlaybookCommand('test "$1" = --version && echo "ansible-playbook [core 2.16.3]" && exit 0; exit 250');
    const { exit, answer } = await launcher.json(alarm, { env: { PATH: `${bin}:/usr/bin:/bin` } });
    expect(exit).to.equal(5);
    expect(answer.blocks[0]?.reason).to.match(/ansible-playbook exited with 250: no message/);
  });
});
