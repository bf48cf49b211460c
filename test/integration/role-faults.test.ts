import { chmodSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { runPlaybook, type Flow, type PlaybookOptions, type PlaybookRun } from '../lab/ansible.js';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { canMount } from '../lab/namespace.js';
import { findInLab } from '../lab/processes.js';
import { disableFilter } from '../lab/rule.js';

const flow: Flow = { source: '203.0.113.7', destination: '192.168.1.10', port: '22', description: 'blocked' };

async function waitFor(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error('It did not come about within 30 s.');
    await sleep(20);
  }
}

describe('when something is wrong on the firewall, the pfSense role', function () {
  this.timeout(240_000);
  let firewall: Firewall;
  let original: string;

  before(async () => {
    firewall = await startFirewall();
    await firewall.gui(['save']);
    original = firewall.readConfig();
  });
  after(async () => {
    await firewall.stop();
  });
  beforeEach(async () => {
    firewall.clearFaults();
    firewall.writeConfig(original);
    firewall.dropCache();
    await firewall.run('etc/rc.filter_configure_sync');
  });
  afterEach(() => {
    expect(leftovers(firewall), 'nothing is left lying about').to.deep.equal([]);
  });

  /** Files that only a run could have left. */
  function leftovers(at: Firewall): string[] {
    const beside = readdirSync(path.dirname(at.configFile)).filter(
      (name) => !['config.xml', 'backup', 'rules.debug.old', 'filler'].includes(name),
    );
    const temporary = readdirSync(path.join(at.root, 'home/.ansible/tmp'));
    return [...beside, ...temporary];
  }

  async function block(vars: Record<string, unknown> = {}, options: PlaybookOptions = {}): Promise<PlaybookRun> {
    return runPlaybook(firewall, { present: [flow], vars, ...options });
  }

  function expectFailure(run: PlaybookRun, code: string, sentence: RegExp): void {
    expect(run.error()?.code, run.text).to.equal(code);
    expect(run.error()?.message).to.match(sentence);
    expect(run.code).to.equal(2);
    expect(run.stats(), 'no result is given').to.be.undefined;
  }

  /** A reload that first does something else, as somebody might at that moment. */
  function reloadAfter(commands: string): string {
    const script = path.join(firewall.root, 'etc/something-then-reload');
    writeFileSync(script, `#!/bin/sh\ncd ${firewall.root} || exit 9\n${commands}\nexec etc/rc.filter_configure_sync\n`);
    chmodSync(script, 0o755);
    return script;
  }

  const brokenFiles: readonly (readonly [string, (text: string) => string, RegExp])[] = [
    ['empty', () => '', /config\.xml is empty$/],
    ['cut short', (text) => text.slice(0, 5000), /config\.xml is not well-formed XML: line \d+, column \d+: /],
    ['followed by text', (text) => `${text}<rule></rule>`, /not well-formed XML: line \d+, column \d+: junk after/],
    ['one with an unescaped &', (text) => text.replace('<version>', '<version>&'), /not well-formed XML: line 3/],
    [
      'one with two filters',
      (text) => text.replace('\t<shaper>', '\t<filter></filter>\n\t<shaper>'),
      /more than one <filter>: pfSense refuses such a file$/,
    ],
    ["another system's", (text) => text.replaceAll('pfsense>', 'opnsense>'), /its root is not <pfsense>$/],
  ];
  for (const [title, change, sentence] of brokenFiles) {
    it(`leaves a configuration alone that is ${title}`, async () => {
      const broken = change(original);
      firewall.writeConfig(broken);
      const run = await block();
      expectFailure(run, 'config_malformed', sentence);
      expect(firewall.readConfig()).to.equal(broken);
      expect(run.text).to.not.include('removed again');
    });
  }

  it('says that there is no configuration, and where it looked', async () => {
    rmSync(firewall.configFile);
    expectFailure(
      await block(),
      'config_missing',
      /there is no \S+\/config\.xml on the firewall \(see pfsense_config\)$/,
    );
  });

  it('takes its rule out again when pf refuses the set; what others changed meanwhile stays and is loaded', async () => {
    const before = await firewall.loadedRules();
    firewall.setFaults({ refuse: 'next' });
    const byHand = ['--tracker', '42', '--type', 'block', '--source', '203.0.113.9', '--descr', 'by hand'];
    const reload = reloadAfter(
      `grep -q 203.0.113.9 cf/conf/config.xml || usr/local/sbin/gui add-rule ${byHand.map((word) => `'${word}'`).join(' ')}`,
    );
    const run = await block({ pfsense_reload_command: reload });
    expectFailure(
      run,
      'load_refused',
      /^pf refused the rules: There were error\(s\) loading the rules: .*Device busy.*; this run's rules were removed again, and pf runs without them$/,
    );
    expect(firewall.readConfig()).to.include('<tracker>42</tracker>').and.not.include('<tracker>2');
    const loaded = await firewall.loadedRules();
    expect(loaded.filter((line) => !before.includes(line))).to.satisfy(
      (lines: string[]) => lines.length === 1 && lines[0]?.includes('ridentifier 42'),
    );
  });

  it('does not take the old rule, which pf still lists, for one that was written anew and refused', async () => {
    const [tracker] = (await block()).result().added;
    const byHand = firewall.readConfig().replace('203.0.113.7<', '203.0.113.0/24<');
    firewall.writeConfig(byHand);
    firewall.dropCache();
    await firewall.run('etc/rc.filter_configure_sync');
    firewall.setFaults({ refuse: 'next' });
    expectFailure(
      await block({ firebreak_fix: true }),
      'load_refused',
      /^pf refused the rules: There were error\(s\) loading the rules: .*Device busy; this run's rules were removed again/,
    );
    expect(firewall.readConfig()).to.equal(original);
    const healed = await block();
    expect(healed.result()).to.deep.include({ added: [tracker], proven: true });
  });

  it('leaves pf with what it ran when pf refuses every set', async () => {
    const before = await firewall.loadedRules();
    firewall.setFaults({ refuse: 'every' });
    expectFailure(await block(), 'load_refused', /removed again, and pf runs without them$/);
    expect(firewall.readConfig()).to.equal(original);
    expect(await firewall.loadedRules()).to.deep.equal(before);
  });

  it('ends a reload that hangs, and takes its rule out again', async () => {
    firewall.setFaults({ reloadHang: true });
    const run = await block({ pfsense_reload_timeout: 1 });
    expectFailure(
      run,
      'reload_timeout',
      /rc\.filter_configure_sync did not end within 1 s and was ended; .*removed from the configuration again, but/,
    );
    expect(firewall.readConfig()).to.equal(original);
    firewall.clearFaults();
    const healed = await block();
    expect(healed.result().proven, healed.text).to.be.true;
  });

  it('waits for a reload that stalls', async () => {
    firewall.setFaults({ reloadStall: 1.5 });
    expect((await block()).result().proven).to.be.true;
  });

  it('waits for the daemon of an asynchronous reload, late and stalling', async () => {
    firewall.setFaults({ reloadStall: 1, reloadDelay: 0.7 });
    const run = await block({ pfsense_reload: 'async' });
    expect(run.result().proven, run.text).to.be.true;
    expect((await firewall.loadedRules()).join()).to.include(`ridentifier ${run.result().added[0]}`);
  });

  it('takes its rule out again when the daemon does not load it in time', async () => {
    firewall.setFaults({ reloadDelay: 3600 });
    const run = await block({ pfsense_reload: 'async', pfsense_proof_timeout: 1 });
    expectFailure(
      run,
      'load_unproven',
      /^1 s after the reload pf does not block 1 of the rules \(tracker 2\d{9}\); this run's rules were removed again/,
    );
    expect(firewall.readConfig()).to.equal(original);
    for (const pid of findInLab(path.join(firewall.root, 'ssh'))) {
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('rc.filter_configure')) process.kill(pid);
    }
  });

  it('waits for a proof that comes late', async () => {
    firewall.setFaults({ proofLate: 1.5 });
    expect((await block()).result().proven).to.be.true;
  });

  it('takes its rule out again when the proof does not come in time', async () => {
    firewall.setFaults({ proofLate: 3600 });
    const run = await block({ pfsense_proof_timeout: 1 });
    expectFailure(run, 'load_unproven', /^1 s after the reload pf does not block 1 of the rules/);
    expect(firewall.readConfig()).to.equal(original);
  });

  it('says that the reload command is not there', async () => {
    const run = await block({ pfsense_reload_command: '/nowhere/reload' });
    expectFailure(run, 'reload_failed', /^\/nowhere\/reload cannot be run: No such file or directory; /);
    expect(firewall.readConfig()).to.equal(original);
  });

  const programs: readonly (readonly [string, Parameters<Firewall['setFaults']>[0], string, RegExp])[] = [
    [
      'pfctl is missing',
      { pfctlMissing: true },
      'pfctl_missing',
      /\/sbin\/pfctl cannot be run on the firewall: No such file/,
    ],
    [
      'pfctl may not read',
      { pfctlFails: true },
      'pfctl_failed',
      /-vvsr does not list the loaded rules: pfctl: \/dev\/pf: Operation not permitted$/,
    ],
    [
      'lockf is missing',
      { lockfMissing: true },
      'lock_missing',
      /\/usr\/bin\/lockf.* is not on the firewall \(see pfsense_lock_command\)$/,
    ],
  ];
  for (const [title, faults, code, sentence] of programs) {
    it(`changes nothing where ${title}`, async () => {
      firewall.setFaults(faults);
      expectFailure(await block(), code, sentence);
      firewall.clearFaults();
      expect(firewall.readConfig()).to.equal(original);
    });
  }

  describe('where pf is disabled', () => {
    const sentence = /^pf is disabled on the firewall, so no rule is in force: clear Disable Firewall in System > /;

    /** A save in the web pages that has not been applied yet. */
    function setDisableFilter(): string {
      const text = disableFilter(firewall.readConfig());
      firewall.writeConfig(text);
      firewall.dropCache();
      return text;
    }

    it('blocks and releases nothing, changes nothing, and foretells it', async () => {
      await firewall.run('sbin/pfctl', ['-d']);
      const reloads = firewall.reloads();
      expectFailure(await block(), 'pf_disabled', sentence);
      expectFailure(await block({}, { args: ['--check'] }), 'pf_disabled', sentence);
      expectFailure(await runPlaybook(firewall, { absent: [flow] }), 'pf_disabled', sentence);
      expect(firewall.readConfig()).to.equal(original);
      expect(firewall.reloads(), 'a reload would enable it').to.equal(reloads);
    });

    it('does not call a rule that is already there a block', async () => {
      expect((await block()).result().proven).to.be.true;
      await firewall.run('sbin/pfctl', ['-d']);
      expectFailure(await block(), 'pf_disabled', sentence);
      await firewall.run('sbin/pfctl', ['-e']);
      expect((await block()).result().proven).to.be.true;
    });

    it('takes its rule out again if the reload disables pf', async () => {
      const before = setDisableFilter();
      const run = await block();
      expectFailure(run, 'pf_disabled', sentence);
      expect(run.error()?.message).to.match(/; this run's rules were removed again, and pf runs without them$/);
      expect(firewall.readConfig()).to.equal(before);
    });

    it('does not call a rule released that pf still lists', async () => {
      expect((await block()).result().proven).to.be.true;
      setDisableFilter();
      expectFailure(await runPlaybook(firewall, { absent: [flow] }), 'pf_disabled', sentence);
    });
  });

  it('does without php: its own check of the new file is strict enough', async () => {
    firewall.setFaults({ phpMissing: true });
    const run = await block();
    expect(run.result().proven, run.text).to.be.true;
  });

  it('does not put a file in place that pfSense would refuse', async () => {
    // Two <type> in one rule of somebody else: well-formed, but every page of pfSense 2.7 would die of it.
    const broken = original.replace('<type>pass</type>', '<type>pass</type><type>pass</type>');
    firewall.writeConfig(broken);
    expectFailure(await block(), 'edit_refused', /^the edit was not put in place: pfSense's own parser refuses it$/);
    expect(firewall.readConfig()).to.equal(broken);
  });

  it("waits for pfSense's lock", async () => {
    const release = await firewall.holdLock();
    const running = block();
    const isWaiting = (): boolean => findInLab(path.join(firewall.root, 'ssh')).some((pid) => isLockfOfRun(pid));
    try {
      await waitFor(isWaiting);
      await sleep(300);
      expect(firewall.readConfig()).to.equal(original);
    } finally {
      await release();
    }
    const run = await running;
    expect(run.result().proven, run.text).to.be.true;
  });

  function isLockfOfRun(pid: number): boolean {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('lockf\0-k\0-t\0');
    } catch {
      return false; // it ended meanwhile
    }
  }

  it("gives up where pfSense's lock stays taken", async () => {
    const release = await firewall.holdLock();
    try {
      const run = await block({
        pfsense_lock_command: `${firewall.root}/usr/bin/lockf -k -t 1 ${String(firewall.vars['pfsense_config_lock'])}`,
      });
      expectFailure(run, 'lock_timeout', /^pfSense's configuration lock stayed taken/);
    } finally {
      await release();
    }
    expect(firewall.readConfig()).to.equal(original);
  });

  it('says that there is no Python', async () => {
    const run = await block({ ansible_python_interpreter: '/nowhere/python3' });
    expectFailure(run, 'python_missing', /no Python where ansible_python_interpreter says/);
  });

  it('says that the firewall is away', async () => {
    await firewall.goAway();
    try {
      const run = await block();
      expect(run.code).to.equal(4);
      expect(run.unreachable()).to.match(/Connection refused/);
    } finally {
      await firewall.comeBack();
    }
  });

  it('on a full disk leaves the file as it was', async function () {
    if (!canMount()) this.skip();
    const small = await startFirewall({ diskKilobytes: 128 });
    try {
      const before = small.readConfig();
      small.setDiskFull(true);
      expectFailure(
        await runPlaybook(small, { present: [flow] }),
        'disk_full',
        /^no space is left on the firewall's disk/,
      );
      expect(small.readConfig()).to.equal(before);
      expect(leftovers(small)).to.deep.equal([]);
    } finally {
      await small.stop();
    }
  });

  it('on a read-only disk leaves the file as it was', async function () {
    if (!canMount()) this.skip();
    const small = await startFirewall({ diskKilobytes: 128 });
    try {
      const before = small.readConfig();
      await small.setDiskReadOnly(true);
      expectFailure(
        await runPlaybook(small, { present: [flow] }),
        'config_unwritable',
        /config\.xml may not be written/,
      );
      expect(small.readConfig()).to.equal(before);
    } finally {
      await small.stop();
    }
  });

  it('does not talk to a firewall whose host key has changed', async () => {
    const other = await startFirewall();
    try {
      await other.changeHostKey();
      const run = await runPlaybook(other, { present: [flow] });
      expect(run.code).to.equal(4);
      expect(run.unreachable()).to.match(/host identification has changed|Host key verification failed/i);
    } finally {
      await other.stop();
    }
  });
});
