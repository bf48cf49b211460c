import { execFile } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { compareSettings } from '#firebreak/runtime/sshd.js';
import { checkTimers } from '#firebreak/doctor/timers.js';
import { listTree, program, type Ended } from '../lab/launcher.js';
import { makeKey } from '../lab/sshd.js';

const run = promisify(execFile);
const units = 'etc/systemd/system';
const written = [
  'usr/local/sbin/firebreak-gateway',
  'etc/ssh/sshd_config.d/00-firebreak.conf',
  'etc/sudoers.d/firebreak',
  'etc/sudoers.d/firebreak-hand-over',
  ...['expire', 'drain'].flatMap((name) => [`${units}/firebreak-${name}.service`, `${units}/firebreak-${name}.timer`]),
];
const links = ['expire', 'drain'].map((name) => `${units}/timers.target.wants/firebreak-${name}.timer`);

/** useradd works on the files of another root for root only. */
const isRoot = process.getuid?.() === 0;
const hasSystemd = existsSync('/usr/bin/systemd-analyze');

describe('firebreak install --systemd', function () {
  this.timeout(120_000);
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'host-'));
    mkdirSync(path.join(root, 'etc/ssh/sshd_config.d'), { recursive: true });
    writeFileSync(at('etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
    writeFileSync(at('etc/group'), 'root:x:0:\n');
    // Where useradd may not work the account is there, and install leaves it as it is.
    if (!isRoot) appendFileSync(at('etc/passwd'), `siem:x:${process.getuid?.()}:0::/home/siem:/bin/sh\n`);
  });

  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const at = (name: string): string => path.join(root, name);
  const read = (name: string): string => readFileSync(at(name), 'utf8');
  const accounts = (): string[] => read('etc/passwd').trim().split('\n');

  async function call(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    try {
      return { exit: 0, ...(await run(file, args, { cwd: root, env: { ...process.env, ...env } })) };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }; // of execFile
      return { exit: code, stdout, stderr };
    }
  }

  const firebreak = (...args: string[]) => call(process.execPath, [program, ...args, '--root', root]);
  const install = (...args: string[]) => firebreak('install', '--systemd', ...args);

  it('shows every line, then writes units, links, login command and what sshd is to deny', async () => {
    const { exit, stdout, stderr } = await install('--yes');
    expect(exit).to.equal(0);
    for (const name of written) {
      expect(stdout).to.include(`  /${name}\n`);
      for (const line of read(name).trim().split('\n')) expect(stderr).to.include(`  | ${line}`.trimEnd());
    }
    for (const name of links) expect(lstatSync(at(name)).isSymbolicLink()).to.equal(true);
    const modes = written.map((name) => (statSync(at(name)).mode & 0o777).toString(8));
    expect(modes).to.deep.equal(['755', '644', '440', '440', ...modes.slice(4).map(() => '644')]);
    for (const folder of ['usr', 'usr/local/sbin', units]) expect(statSync(at(folder)).mode & 0o777).to.equal(0o755);
  });

  it('makes the account, whose only command is the gateway, and folders that are its own', async function () {
    if (!isRoot) this.skip();
    await install('--yes');
    expect(read('etc/passwd')).to.match(
      /^siem:[x!]:\d+:\d+:Firebreak gateway:\/var\/lib\/firebreak-gateway:\/usr\/local\/sbin\/firebreak-gateway$/m,
    );
    const [, uid, gid] = /^firebreak:[x!]:(\d+):(\d+):Firebreak:\/var\/lib\/firebreak:\/usr\/sbin\/nologin$/m.exec(
      read('etc/passwd'),
    ) ?? ['', '', ''];
    expect(Number(uid)).to.be.greaterThan(0);
    for (const [folder, mode, owner, group] of [
      ['etc/firebreak', 0o750, 0, Number(gid)],
      ['var/lib/firebreak', 0o700, Number(uid), Number(gid)],
      ['var/lib/firebreak-gateway/.ssh', 0o755, 0, 0],
    ] as const) {
      const found = statSync(at(folder));
      expect({ folder, mode: found.mode & 0o777, owner: found.uid, group: found.gid }).to.deep.equal({
        ...{ folder, mode, owner, group },
      });
    }
  });

  it('makes one account for a trial, which takes alarms and applies them, and says so', async function () {
    if (!isRoot) this.skip();
    const { stdout } = await install('--yes', '--owner', 'siem');
    expect(stdout).to.include('siem both receives and applies alarms, which is for trials only');
    expect(accounts().filter((line) => line.includes('Firebreak'))).to.have.length(1);
    expect(existsSync(at('etc/sudoers.d/firebreak'))).to.equal(false);
    for (const folder of ['etc/firebreak', 'var/lib/firebreak', 'var/lib/firebreak/.ssh'])
      expect(statSync(at(folder)).mode & 0o777).to.equal(0o700);
    expect(read(`${units}/firebreak-drain.service`)).to.include('\nUser=siem\n');
  });

  it('makes two of the one account of release 0.1: what was its own goes to the other, its keys stay valid', async function () {
    if (!isRoot) this.skip();
    await install('--yes', '--owner', 'siem');
    const uid = Number(/^siem:[x!]:(\d+)/m.exec(read('etc/passwd'))?.[1]);
    for (const name of [
      'var/lib/firebreak/ledger.db',
      'etc/firebreak/firebreak.yml',
      'var/lib/firebreak/.ssh/authorized_keys',
    ]) {
      writeFileSync(at(name), 'state_dir: /var/lib/firebreak\nfirewalls: {edge: {host: 192.0.2.1}}\n', { mode: 0o600 });
      chownSync(at(name), uid, uid);
    }
    writeFileSync(at('etc/firebreak/mine'), 'root wrote it', { mode: 0o600 });
    await install('--yes');
    const owner = Number(/^firebreak:[x!]:(\d+)/m.exec(read('etc/passwd'))?.[1]);
    const look = (name: string) => `${statSync(at(name)).uid} ${(statSync(at(name)).mode & 0o777).toString(8)}`;
    expect(look('var/lib/firebreak/ledger.db')).to.equal(`${owner} 600`);
    expect(look('etc/firebreak/firebreak.yml')).to.equal('0 640');
    expect(look('etc/firebreak/mine')).to.equal('0 600');
    expect(look('var/lib/firebreak-gateway/.ssh/authorized_keys')).to.equal('0 644');
    expect(read('etc/passwd')).to.match(/^siem:.*:\/var\/lib\/firebreak-gateway:/m);
  });

  it('takes another account, and folders from the configuration', async function () {
    if (!isRoot) this.skip();
    mkdirSync(at('opt'));
    const edge = '{edge: {host: 192.0.2.1, private_key_file: /only/for/siem}}'; // which root is not to look at
    const log = '{file: /srv/log/firebreak.log}';
    writeFileSync(at('opt/f.yml'), `state_dir: /srv/ledger\nlog: ${log}\nfirewalls: ${edge}\n`);
    await install('--yes', '--user', 'alarms', '--config', '/opt/f.yml');
    expect(accounts().slice(-2).join()).to.match(/^alarms:.*,firebreak:/);
    const unit = read(`${units}/firebreak-expire.service`);
    expect(unit).to.include('\nUser=firebreak\n').and.include('expire --config /opt/f.yml\n');
    expect(unit).to.include('\nReadWritePaths=-/srv/ledger -/srv/log\n');
    expect(existsSync(at('srv/ledger'))).to.equal(true);
  });

  it('stops at an invalid configuration', async () => {
    writeFileSync(at('f.yml'), 'firewall: {}\n');
    const { exit, stderr } = await install('--yes', '--config', '/f.yml');
    expect(exit).to.equal(2);
    expect(stderr).to.include('/f.yml is invalid: run firebreak --config');
  });

  it('only shows it with --dry-run', async () => {
    const before = listTree(root);
    const { exit, stdout, stderr } = await install('--dry-run');
    expect({ exit, stderr }).to.deep.equal({ exit: 0, stderr: '' });
    expect(stdout).to.include('ExecStart=').and.include('timers.target.wants/firebreak-drain.timer -> ');
    expect(listTree(root)).to.deep.equal(before);
  });

  it('writes nothing where nobody says yes', async () => {
    const before = listTree(root);
    const { exit, stderr } = await install();
    expect(exit).to.equal(2);
    expect(stderr).to.match(/not a terminal: nothing was changed \(use --yes/);
    expect(listTree(root)).to.deep.equal(before);
  });

  for (const [answer, exit] of [
    ['yes', 0],
    ['no', 2],
    ['', 2],
  ] as const) {
    it(`asks on a terminal, and takes "${answer}" as ${exit === 0 ? 'a yes' : 'a no'}`, async () => {
      const line = `${process.execPath} ${program} install --systemd --root ${root}`;
      const script = `printf '${answer}\\n' | script --quiet --return --command '${line}' /dev/null`;
      expect((await call('sh', ['-c', script])).exit).to.equal(exit);
      expect(existsSync(at(`${units}/firebreak-expire.timer`))).to.equal(exit === 0);
    });
  }

  it('changes nothing the second time', async () => {
    await install('--yes');
    const before = listTree(root);
    const { exit, stdout } = await install('--yes');
    expect({ exit, stdout: stdout.split('\n')[0] }).to.deep.equal({
      exit: 0,
      stdout: 'everything was already in place',
    });
    expect(listTree(root)).to.deep.equal(before);
  });

  it('brings what it wrote itself up to date', async () => {
    await install('--yes', '--config', '/etc/firebreak/old.yml');
    await install('--yes');
    expect(read(`${units}/firebreak-drain.service`)).to.include('--config /etc/firebreak/firebreak.yml\n');
  });

  it('overwrites nothing that somebody else wrote or changed, and says what is in the way', async () => {
    await install('--yes');
    appendFileSync(at(`${units}/firebreak-expire.timer`), '# mine\n');
    const before = listTree(root);
    const { exit, stderr } = await install('--yes', '--config', '/etc/firebreak/new.yml');
    expect(exit).to.equal(2);
    expect(stderr).to.match(/does not overwrite files .*: \/etc\/systemd\/system\/firebreak-expire\.timer;/);
    expect(listTree(root)).to.deep.equal(before);
  });

  it('leaves an account that is there as it is, and says how to make it safe', async () => {
    writeFileSync(at('etc/passwd'), 'siem:x:501:501::/home/siem:/bin/sh\n');
    const { stdout } = await install('--yes');
    expect(accounts()[0]).to.equal('siem:x:501:501::/home/siem:/bin/sh');
    expect(stdout).to.include('usermod --shell /usr/local/sbin/firebreak-gateway siem');
  });

  it('says what to do where sshd reads no folder of settings', async () => {
    rmSync(at('etc/ssh/sshd_config.d'), { recursive: true });
    expect((await install('--yes')).stdout).to.include('force the command as described in docs/ossim.md');
    expect(existsSync(at('etc/ssh'))).to.equal(true);
  });

  it('does not write beside the Debian package', async () => {
    mkdirSync(at('usr/lib/systemd/system'), { recursive: true });
    writeFileSync(at('usr/lib/systemd/system/firebreak-expire.timer'), '');
    const { exit, stderr } = await install('--yes');
    expect({ exit, stderr }).to.deep.include({ exit: 2 });
    expect(stderr).to.include('the Debian package has already set up this host');
  });

  for (const [title, more] of [
    ['an account', ['--user', 'a b']],
    ['an account with a line end', ['--user', 'siem\nExecStartPre=/bin/id']],
    ['a path', ['--config', '/etc/fire break.yml']],
    ['a path with a specifier', ['--config', '/etc/%h.yml']],
  ] as const) {
    it(`refuses ${title} that a unit would read otherwise`, async () => {
      const before = listTree(root);
      expect((await install('--yes', ...more)).exit).to.equal(2);
      expect(listTree(root)).to.deep.equal(before);
    });
  }

  it('wants to know what to install', async () => {
    expect((await firebreak('install')).stderr).to.include('firebreak install --systemd');
  });

  it('tells all of it as JSON', async () => {
    const { stdout } = await install('--dry-run', '--json');
    const told = JSON.parse(stdout) as { files: string[]; written: boolean }; // install --json
    expect(told.files).to.deep.equal(written.map((name) => `/${name}`));
    expect(told.written).to.equal(false);
  });

  it('is what the doctor looks for', async () => {
    expect(checkTimers(root).state).to.equal('note');
    await install('--yes');
    mkdirSync(at('run/systemd/system'), { recursive: true });
    expect(checkTimers(root)).to.deep.include({ state: 'ok', detail: 'systemd runs firebreak expire and drain' });
    rmSync(at(`${units}/firebreak-expire.timer`));
    expect(checkTimers(root).state).to.equal('note');
  });

  it('writes units that systemd takes without a word, and calls well confined', async function () {
    if (!hasSystemd) this.skip();
    await install('--yes');
    for (const name of ['expire', 'drain']) {
      const files = ['service', 'timer'].map((kind) => at(`${units}/firebreak-${name}.${kind}`));
      expect(await call('systemd-analyze', ['verify', '--man=no', ...files])).to.deep.equal({
        exit: 0,
        stdout: '',
        stderr: '',
      });
      const looks = ['security', '--offline=yes', '--threshold=15', '--no-pager', files[0]!];
      expect((await call('systemd-analyze', looks)).exit).to.equal(0);
    }
  });

  describe('gives the account a login command that', () => {
    const login = (words: readonly string[], env: NodeJS.ProcessEnv = {}) =>
      call(at('usr/local/sbin/firebreak-gateway'), words, env);

    beforeEach(async () => {
      const file = at('firebreak.yml');
      writeFileSync(file, JSON.stringify({ state_dir: at('state'), firewalls: { edge: { host: '192.0.2.1' } } }));
      chmodSync(file, 0o600);
      const config = path.relative('/', file);
      mkdirSync(path.dirname(at(config)), { recursive: true });
      writeFileSync(at(config), readFileSync(file));
      await install('--yes', '--owner', 'siem', '--config', `/${config}`);
    });

    it('is no shell', async () => {
      const { exit, stderr } = await login(['-c', 'id']);
      expect(exit).to.equal(2);
      expect(stderr).to.include('"id" is not an alarm');
    });

    const gateway = '/usr/local/sbin/firebreak-gateway';

    it('takes an alarm, from sshd as from a forced command', async () => {
      const words = 'firebreak block 127.0.0.9 192.168.1.10 22'; // which the policy refuses, so no firewall is asked
      expect((await login(['-c', words])).exit).to.equal(3);
      expect((await login(['-c', gateway], { SSH_ORIGINAL_COMMAND: words })).exit).to.equal(3);
      expect((await login(['-c', gateway])).exit).to.equal(2); // a login that asks for nothing
    });

    it('lets nothing of the environment through to Node', async () => {
      const { exit, stderr } = await login(['-c', 'id'], { NODE_OPTIONS: '--require /nowhere.cjs' });
      expect(exit).to.equal(2);
      expect(stderr).to.not.include('nowhere');
    });
  });

  it('has sshd force the gateway on that account, without terminal and forwarding, and on nobody else', async () => {
    await install('--yes');
    const key = at('key');
    await makeKey(key);
    const settings = `HostKey ${key}\nInclude ${at('etc/ssh/sshd_config.d')}/*.conf\nPermitTTY yes\nX11Forwarding yes\n`;
    writeFileSync(at('sshd_config'), settings);
    const ask = async (user: string): Promise<string> => {
      const who = `user=${user},host=h,addr=192.0.2.9`;
      const { stdout, stderr } = await call('/usr/sbin/sshd', ['-T', '-f', at('sshd_config'), '-C', who]);
      return `${stdout}${stderr}`;
    };
    expect(await ask('siem'))
      .to.match(/^permittty no$/m)
      .and.match(/^disableforwarding yes$/m)
      .and.match(/^forcecommand \/usr\/local\/sbin\/firebreak-gateway$/m);
    expect(await ask('root'))
      .to.match(/^permittty yes$/m)
      .and.match(/^disableforwarding no$/m)
      .and.match(/^forcecommand none$/m);
    expect(await ask('root')).to.match(/^x11forwarding yes$/m);
    const gateway = '/usr/local/sbin/firebreak-gateway';
    expect(compareSettings(await ask('siem'), gateway)).to.deep.equal([]);
    // Of two values sshd takes the first: a file that comes before ours wins, and that is found.
    writeFileSync(
      at('etc/ssh/sshd_config.d/00-before.conf'),
      'AcceptEnv LANG NODE_*\nMatch User siem\n  ForceCommand none\n',
    );
    expect(compareSettings(await ask('siem'), gateway)).to.deep.equal([
      `forcecommand is none, not ${gateway}`,
      'acceptenv accepts NODE_* from the caller',
    ]);
  });

  describe('undone by firebreak uninstall', () => {
    const uninstall = (...args: string[]) => firebreak('uninstall', ...args);
    const findFiles = (): string[] =>
      readdirSync(root, { recursive: true, withFileTypes: true, encoding: 'utf8' })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
        .filter((name) => !/^etc\/(passwd|group|g?shadow|sub[ug]id)-?$/.test(name));

    it('leaves no file, link or account of it', async () => {
      writeFileSync(at('etc/ssh/sshd_config.d/other.conf'), 'PrintMotd no\n');
      const before = { files: findFiles(), accounts: accounts() };
      await install('--yes');
      const { exit, stdout, stderr } = await uninstall('--yes');
      expect(exit).to.equal(0);
      for (const name of [...written, ...links]) {
        expect(stderr).to.include(`  /${name}\n`);
        expect(stdout).to.include(`  /${name}\n`);
      }
      expect({ files: findFiles(), accounts: accounts() }).to.deep.equal(before);
    });

    it('keeps ledger, configuration and keys', async () => {
      await install('--yes');
      const kept = ['var/lib/firebreak/ledger.db', 'etc/firebreak/firebreak.yml', 'var/lib/firebreak/.ssh/keys'];
      for (const name of kept) {
        mkdirSync(path.dirname(at(name)), { recursive: true });
        writeFileSync(at(name), 'kept');
      }
      await uninstall('--yes');
      for (const name of kept) expect(read(name)).to.equal('kept');
    });

    it('leaves what was changed since, and says so', async () => {
      await install('--yes');
      appendFileSync(at('etc/ssh/sshd_config.d/00-firebreak.conf'), '# mine\n');
      const { stdout } = await uninstall('--yes');
      expect(findFiles()).to.deep.equal(['etc/ssh/sshd_config.d/00-firebreak.conf']);
      expect(stdout).to.include('/etc/ssh/sshd_config.d/00-firebreak.conf is left in place');
    });

    it('leaves an account that install did not make', async () => {
      writeFileSync(at('etc/passwd'), 'siem:x:501:501::/home/siem:/bin/sh\n');
      await install('--yes');
      await uninstall('--yes');
      expect(accounts()).to.deep.equal(['siem:x:501:501::/home/siem:/bin/sh']);
    });

    it('does nothing with --dry-run, without a yes, and where there is nothing', async () => {
      expect((await uninstall()).stdout).to.include('found nothing that firebreak install wrote');
      await install('--yes');
      const before = listTree(root);
      expect((await uninstall('--dry-run')).stdout).to.include('remove');
      expect((await uninstall()).exit).to.equal(2);
      expect(listTree(root)).to.deep.equal(before);
    });
  });
});
