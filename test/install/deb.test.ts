import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { packageRoot } from '../lab/package-root.js';

const run = promisify(execFile);
const hasDpkg = existsSync('/usr/bin/dpkg-deb');

/** Installs the package on this very machine, and takes it out again: only where that was asked for. */
const isAskedFor = process.env['FIREBREAK_TEST_DPKG'] === '1';

interface Entry {
  readonly mode: string;
  readonly owner: string;
  readonly target: string | undefined;
}

describe('the Debian package', function () {
  this.timeout(600_000);
  let folder: string;
  let deb: string;

  before(async function () {
    if (!hasDpkg) this.skip();
    folder = mkdtempSync(path.join(tmpdir(), 'deb-'));
    deb = await build('once', '1700000000');
  });

  after(() => {
    if (hasDpkg) rmSync(folder, { recursive: true, force: true });
  });

  async function build(name: string, epoch: string): Promise<string> {
    const args = [path.join(packageRoot, 'scripts/deb.mjs'), path.join(folder, name)];
    const { stdout } = await run(process.execPath, args, { env: { ...process.env, SOURCE_DATE_EPOCH: epoch } });
    return stdout.trim();
  }

  async function readEntries(): Promise<Map<string, Entry>> {
    const { stdout } = await run('dpkg-deb', ['--contents', deb], { maxBuffer: 1 << 24 });
    const lines = stdout.split('\n').filter(Boolean);
    return new Map(
      lines.map((line) => {
        const [, mode = '', owner = '', name = '', target] =
          /^(\S+) (\S+) +\d+ \S+ \S+ \.\/(.*?)(?: -> (.*))?$/.exec(line) ?? [];
        return [name, { mode, owner, target }];
      }),
    );
  }

  const readField = async (name: string): Promise<string> =>
    (await run('dpkg-deb', ['--field', deb, name])).stdout.trim();

  it('holds program, man page, completions, units and settings, each for root and with its mode', async () => {
    const entries = await readEntries();
    const plain = '-rw-r--r--';
    const program = '-rwxr-xr-x';
    const expected = {
      'usr/lib/firebreak/dist/cli.js': program,
      'usr/lib/firebreak/gateway': program,
      'usr/lib/firebreak/package.json': plain,
      'usr/lib/firebreak/playbooks/block.yml': plain,
      'usr/lib/firebreak/templates/extra-vars.yml.hbs': plain,
      'usr/lib/firebreak/schema/firebreak.schema.json': plain,
      'usr/lib/firebreak/node_modules/@photostructure/sqlite/dist/index.mjs': plain,
      'usr/share/man/man1/firebreak.1.gz': plain,
      'usr/share/bash-completion/completions/firebreak': plain,
      'usr/share/zsh/vendor-completions/_firebreak': plain,
      'usr/lib/systemd/system/firebreak-expire.service': plain,
      'usr/lib/systemd/system/firebreak-expire.timer': plain,
      'usr/lib/systemd/system/firebreak-drain.service': plain,
      'usr/lib/systemd/system/firebreak-drain.timer': plain,
      'etc/ssh/sshd_config.d/00-firebreak.conf': plain,
      'etc/sudoers.d/firebreak': '-r--r-----',
      'etc/sudoers.d/firebreak-hand-over': '-r--r-----',
      'usr/lib/firebreak/templates/host/hand-over.py': plain,
      'usr/share/doc/firebreak/copyright': plain,
    };
    for (const [name, mode] of Object.entries(expected)) {
      expect({ name, ...entries.get(name) }).to.deep.include({ name, mode });
    }
    expect(entries.get('usr/bin/firebreak')?.target).to.equal('../lib/firebreak/dist/cli.js');
    expect([...new Set([...entries.values()].map(({ owner }) => owner))]).to.deep.equal(['root/root']);
  });

  it('holds nothing that only its makers need, and is no larger than it must be', async () => {
    const names = [...(await readEntries()).keys()];
    const odd = /\/(test|bench|src)\/|__pycache__|\.musl\.|typescript|mocha|\.d\.[cm]?ts$|darwin|win32/;
    expect(names.filter((name) => odd.test(name))).to.deep.equal([]);
    expect(statSync(deb).size).to.be.lessThan(4_000_000);
  });

  it('says what it needs, and whose file it never overwrites', async () => {
    const depends = await readField('Depends');
    for (const one of ['nodejs (>= 20.19)', 'ansible-core', 'openssh-client', 'sudo']) expect(depends).to.include(one);
    expect((await run('dpkg-deb', ['--info', deb, 'conffiles'])).stdout).to.equal(
      '/etc/ssh/sshd_config.d/00-firebreak.conf\n/etc/sudoers.d/firebreak\n/etc/sudoers.d/firebreak-hand-over\n',
    );
  });

  it('is the same byte by byte when it is built again, and another one at another time', async () => {
    const sum = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
    expect(sum(await build('twice', '1700000000'))).to.equal(sum(deb));
    expect(sum(await build('later', '1700000001'))).to.not.equal(sum(deb));
  });

  it('holds a program that runs, with its ledger', async () => {
    const root = path.join(folder, 'unpacked');
    await run('dpkg-deb', ['--extract', deb, root]);
    const config = path.join(folder, 'firebreak.yml');
    const settings = { state_dir: path.join(folder, 'state'), firewalls: { edge: { host: '192.0.2.1' } } };
    writeFileSync(config, JSON.stringify(settings), { mode: 0o600 });
    const program = path.join(root, 'usr/bin/firebreak');
    const { stdout } = await run(process.execPath, [program, 'list', '--json', '--config', config], { cwd: '/' });
    expect(JSON.parse(stdout)).to.deep.equal({ blocks: [] });
    const explained = await run(process.execPath, [program, 'config', '--explain', 'state_dir'], { cwd: '/' });
    expect(explained.stdout).to.match(/^state_dir \(default: /);
  });

  it('has no error that lintian knows', async function () {
    if (!existsSync('/usr/bin/lintian')) this.skip();
    const { stdout } = await run('lintian', ['--fail-on', 'none', '--allow-root', deb], {
      env: { ...process.env, TMPDIR: folder }, // it leaves files there
    });
    expect(stdout.split('\n').filter((line) => line.startsWith('E:'))).to.deep.equal([]);
  });

  describe('on this machine', () => {
    const timers = ['expire', 'drain'].map((name) => `/etc/systemd/system/timers.target.wants/firebreak-${name}.timer`);
    const settings = '/etc/ssh/sshd_config.d/00-firebreak.conf';
    const dpkg = (...args: string[]) =>
      run('dpkg', args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
    const findAccount = async (name = 'siem'): Promise<string> =>
      run('getent', ['passwd', name]).then(
        ({ stdout }) => stdout.trim(),
        () => '',
      );

    before(function () {
      if (!isAskedFor) this.skip();
    });

    after(async () => {
      if (isAskedFor) await dpkg('--purge', 'firebreak').catch(() => undefined);
    });

    it('is installed, upgraded without touching what the operator changed, removed, and purged', async () => {
      for (const there of ['/etc/firebreak', '/var/lib/firebreak', '/usr/bin/firebreak']) {
        expect(existsSync(there), `${there}, which this test would take away`).to.equal(false);
      }
      expect(await findAccount()).to.equal('');
      await dpkg('--install', deb);
      const { version } = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as {
        version: string;
      };
      expect((await run('/usr/bin/firebreak', ['--version'], { cwd: '/' })).stdout.trim()).to.equal(version);
      expect(await findAccount()).to.match(
        /:Firebreak gateway:\/var\/lib\/firebreak-gateway:\/usr\/lib\/firebreak\/gateway$/,
      );
      const [, , uid, gid] = (await findAccount('firebreak')).split(':').map(Number);
      for (const [made, mode, owner] of [
        ['/etc/firebreak', 0o750, 0],
        ['/var/lib/firebreak', 0o700, uid],
        ['/var/log/firebreak', 0o700, uid],
      ] as const) {
        const found = statSync(made);
        const seen = { made, mode: found.mode & 0o777, owner: found.uid, group: found.gid };
        expect(seen).to.deep.equal({ made, mode, owner, group: gid });
      }
      for (const link of timers) expect(existsSync(readlinkSync(link))).to.equal(true);
      const words = ['--reuid', 'siem', '--regid', 'siem', '--init-groups', '/usr/lib/firebreak/gateway', '-c', 'id'];
      const login = await run('setpriv', words, { cwd: '/' }).catch((error: unknown) => error);
      expect(login).to.include({ code: 75 }); // there is no configuration yet: the caller is to keep its alarm

      appendFileSync(settings, '# mine\n');
      writeFileSync('/etc/firebreak/firebreak.yml', 'mine');
      rmSync(timers[1]!);
      await dpkg('--install', '--force-confold', deb);
      expect(readFileSync(settings, 'utf8')).to.match(/# mine\n$/);
      expect(readFileSync('/etc/firebreak/firebreak.yml', 'utf8')).to.equal('mine');
      expect(lstatSync(timers[1]!, { throwIfNoEntry: false })).to.equal(undefined);

      mkdirSync('/usr/lib/firebreak/playbooks/callback_plugins/__pycache__');
      writeFileSync('/usr/lib/firebreak/playbooks/callback_plugins/__pycache__/events.pyc', 'as Python leaves it');
      await dpkg('--remove', 'firebreak');
      expect(existsSync('/usr/bin/firebreak')).to.equal(false);
      expect(existsSync('/usr/lib/firebreak')).to.equal(false);
      expect(readFileSync(settings, 'utf8')).to.match(/# mine\n$/);

      const { stdout } = await dpkg('--purge', 'firebreak');
      expect(stdout).to.include('/etc/firebreak is not empty, and stays');
      expect(readFileSync('/etc/firebreak/firebreak.yml', 'utf8')).to.equal('mine');
      expect(statSync('/etc/firebreak/firebreak.yml')).to.include({ uid: 0, gid: 0 });

      await run('useradd', ['--system', '--no-create-home', 'firebreak-test']); // takes the id that is free
      try {
        await dpkg('--install', deb);
        const group = Number((await findAccount('firebreak')).split(':')[3]);
        expect(statSync('/etc/firebreak/firebreak.yml')).to.include({ uid: 0, gid: group });
        await dpkg('--purge', 'firebreak');
      } finally {
        await run('userdel', ['firebreak-test']);
      }
      rmSync('/etc/firebreak', { recursive: true });
      for (const gone of [
        settings,
        '/var/lib/firebreak',
        '/var/lib/firebreak-gateway',
        '/var/log/firebreak',
        ...timers,
      ]) {
        expect(lstatSync(gone, { throwIfNoEntry: false })).to.equal(undefined);
      }
      expect(`${await findAccount()}${await findAccount('firebreak')}`).to.equal('');
    });
  });
});
