import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { settingsOf, waitUntil, type Ended } from '../lab/launcher.js';
import { canMount } from '../lab/namespace.js';
import { packageRoot } from '../lab/package-root.js';
import { makeKey } from '../lab/sshd.js';

const canTry = process.getuid?.() === 0 && canMount() && existsSync('/usr/bin/sudo') && existsSync('/usr/sbin/sshd');

/**
 * A host of its own: the files of /etc, /var/lib and /usr/local/sbin are copies that nobody else sees. Node and the
 * program are brought to where every account may read them.
 */
describe('a host with two accounts, set up by firebreak install', function () {
  this.timeout(180_000);
  let folder: string;
  let holder: ChildProcess;
  let sshd: ChildProcess | undefined;
  let edge: Firewall;
  let port: number;

  const node = '/opt/fb/node';
  const program = '/opt/fb/package/dist/cli.js';
  const handOver = [
    ...['/usr/bin/python3', '-IS', '/opt/fb/package/templates/host/hand-over.py'],
    '/var/lib/firebreak/intake.sock',
  ];

  async function call(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const args = ['--mount', `--target=${holder.pid}`, ...words];
    return new Promise((resolve) => {
      const options = { cwd: '/', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', ...env } };
      const child = execFile('nsenter', args, options, (_error, stdout, stderr) => {
        resolve({ exit: child.exitCode, stdout, stderr });
      });
    });
  }
  const firebreak = (...words: string[]) => call([node, program, ...words]);
  const as = (user: string, ...words: string[]) =>
    call(['setpriv', '--reuid', user, '--regid', user, '--init-groups', ...words]);
  const siem = (command: string, ...options: string[]) =>
    call([
      ...['ssh', '-F', '/dev/null', '-i', path.join(folder, 'siem_key'), '-p', String(port), '-l', 'siem'],
      ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'],
      ...['-o', 'BatchMode=yes', ...options, '127.0.0.1', ...(command === '' ? [] : [command])],
    ]);

  before(async function () {
    if (!canTry) this.skip();
    folder = mkdtempSync(path.join(tmpdir(), 'two-'));
    for (const name of ['lib', 'sbin', 'opt']) mkdirSync(path.join(folder, name));
    const steps = [
      `cp -a /etc ${folder}/etc`,
      `mount --bind ${folder}/etc /etc`,
      `mount --bind ${folder}/lib /var/lib`,
      `mount --bind ${folder}/sbin /usr/local/sbin`,
      `mount --bind ${folder}/opt /opt`,
      'mkdir -p /opt/fb/package && touch /opt/fb/node',
      `mount --bind ${packageRoot} /opt/fb/package`,
      `mount --bind ${process.execPath} /opt/fb/node`,
      'mkdir -p /run/sshd /etc/ssh/sshd_config.d',
      'rm -f /etc/sudoers.d/*',
      'echo ready',
      'exec sleep 600',
    ];
    holder = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', steps.join(' && ')], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    await once(holder.stdout!, 'data');
    edge = await startFirewall();
    await makeKey(path.join(folder, 'siem_key'));
    await makeKey(path.join(folder, 'host_key'));
    port = await findFreePort();
  });

  after(async () => {
    if (!canTry) return;
    for (const child of [sshd, holder]) {
      if (child?.pid === undefined) continue;
      const ended = once(child, 'exit');
      process.kill(-child.pid, 'SIGKILL');
      await ended;
    }
    await edge.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is made by two commands', async () => {
    const installed = await firebreak('install', '--systemd', '--yes');
    expect(installed.stderr).to.include('siem ALL=(firebreak) NOPASSWD:');
    expect(installed.exit).to.equal(0);
    for (const name of ['firebreak', 'firebreak-hand-over'])
      expect((await call(['visudo', '-c', '-f', `/etc/sudoers.d/${name}`])).exit, name).to.equal(0);
    const written = await firebreak('init', '--host', '192.0.2.1', '--key', '--mail-to', 'soc@example.org');
    expect(written.exit).to.equal(0);
    const files = ['firebreak.yml', 'inventory.yml', 'keys/edge'].map((name) => `/etc/firebreak/${name}`);
    const modes = await call(['stat', '--format', '%U %G %a', ...files]);
    expect(modes.stdout).to.equal('root firebreak 640\n'.repeat(3));
    expect((await as('firebreak', node, program, 'config')).stdout).to.include(
      'private_key_file: /etc/firebreak/keys/edge',
    );
    await call(['rm', '-r', '/etc/firebreak/keys', ...files.slice(0, 2), '/etc/firebreak/known_hosts']);
    const settings = settingsOf(edge);
    for (const [name, key] of [
      ['key', 'private_key_file'],
      ['known_hosts', 'known_hosts_file'],
    ] as const) {
      copyFileSync(String(settings[key]), path.join(folder, 'etc/firebreak', name));
      chmodSync(path.join(folder, 'etc/firebreak', name), 0o640);
      settings[key] = name;
    }
    const config = { firewalls: { edge: { ...settings, vars: edge.vars } } };
    const file = path.join(folder, 'etc/firebreak/firebreak.yml');
    writeFileSync(file, JSON.stringify(config), { mode: 0o640 });
    chmodSync(file, 0o640);
    await call([
      'chgrp',
      'firebreak',
      ...['key', 'known_hosts', 'firebreak.yml'].map((name) => `/etc/firebreak/${name}`),
    ]);
    const keys = '/var/lib/firebreak-gateway/.ssh/authorized_keys';
    writeFileSync(path.join(folder, keys.replace('/var/', '')), readFileSync(path.join(folder, 'siem_key.pub')));
    const lines = [
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${folder}/host_key`,
      'PidFile none',
      'UsePAM no',
      'Include /etc/ssh/sshd_config.d/*.conf',
      'Subsystem sftp internal-sftp',
    ];
    writeFileSync(path.join(folder, 'sshd_config'), `${lines.join('\n')}\n`);
    // An account without a password counts as locked where PAM is not asked.
    await call(['sed', '-i', 's/^siem:!/siem:*/', '/etc/shadow']);
    const command = [
      '--mount',
      `--target=${holder.pid}`,
      '/usr/sbin/sshd',
      '-D',
      '-E',
      path.join(folder, 'sshd.log'),
      '-f',
      path.join(folder, 'sshd_config'),
    ];
    sshd = spawn('nsenter', command, { stdio: ['ignore', 'ignore', 'inherit'], detached: true });
    for (let tries = 0; tries < 100 && (await siem('id')).exit === 255; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 100));
  });

  it('takes an alarm from the one account, and proves its block as the other', async () => {
    const { exit, stdout, stderr } = await siem('firebreak block 203.0.113.7 192.168.1.10 22');
    expect(stderr).to.equal('');
    expect(stdout).to.match(/ blocked 203\.0\.113\.7 .*in force/);
    expect(exit).to.equal(0);
    expect((await edge.loadedRules()).join()).to.include('from 203.0.113.7 to 192.168.1.10');
    const owners = await call([
      'stat',
      '--format',
      '%U %a',
      ...['', '/ledger.db', '/audit.jsonl', '/audit.key'].map((name) => `/var/lib/firebreak${name}`),
    ]);
    expect(owners.stdout).to.equal('firebreak 700\nfirebreak 600\nfirebreak 600\nfirebreak 600\n');
  });

  it('hands an alarm to a running Firebreak, and then starts none', async () => {
    const words = ['setpriv', '--reuid', 'firebreak', '--regid', 'firebreak', '--init-groups', node, program, 'run'];
    const resident = spawn('nsenter', ['--mount', `--target=${holder.pid}`, ...words], {
      cwd: '/',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      stdio: 'ignore',
    });
    const ended = once(resident, 'exit');
    try {
      const socket = path.join(folder, 'lib/firebreak/intake.sock');
      await waitUntil('the socket', () => existsSync(socket));
      await call(['mount', '--bind', '/bin/false', node]);
      const { exit, stdout } = await siem('firebreak block 203.0.113.9 192.168.1.10 22');
      expect(stdout).to.match(/ blocked 203\.0\.113\.9 .*in force/);
      expect(exit).to.equal(0);
    } finally {
      await call(['umount', node]);
      resident.kill('SIGTERM');
      await ended;
    }
  });

  it('gives the account that takes alarms nothing to read, to change or to run', async () => {
    for (const file of [
      '/etc/firebreak/firebreak.yml',
      '/etc/firebreak/key',
      '/var/lib/firebreak/ledger.db',
      '/var/lib/firebreak/audit.key',
    ])
      expect((await as('siem', 'cat', file)).exit, file).to.equal(1);
    const keys = '/var/lib/firebreak-gateway/.ssh';
    expect((await as('siem', 'sh', '-c', `echo x >>${keys}/authorized_keys || touch ${keys}/more`)).exit).not.to.equal(
      0,
    );
    const sudo = (...words: string[]) => as('siem', 'sudo', '-n', ...words);
    for (const words of [
      ['id'],
      ['-u', 'firebreak', 'id'],
      ['-u', 'firebreak', node, program, 'list'],
      ['-u', 'firebreak', node, program, 'unblock', '203.0.113.7'],
      ['-u', 'firebreak', node, program, 'gateway', '--config', '/tmp/mine.yml'],
      ['-u', 'firebreak', ...handOver.slice(0, 3), '/tmp/mine.sock', node, program, 'gateway'],
      ['-u', 'firebreak', ...handOver, '/bin/sh'],
      ['-u', 'firebreak', ...handOver.slice(0, 2), '/tmp/mine.py'],
      ['-u', 'firebreak', node, '-e', '1', program, 'gateway', '--config', '/etc/firebreak/firebreak.yml'],
      ['-u', 'root', node, program, 'gateway', '--config', '/etc/firebreak/firebreak.yml'],
      [
        '-u',
        'firebreak',
        'NODE_OPTIONS=--version',
        node,
        program,
        'gateway',
        '--config',
        '/etc/firebreak/firebreak.yml',
      ],
    ])
      expect((await sudo(...words)).stderr, words.join(' ')).to.match(/^sudo: /);
    const gateway = [
      '-u',
      'firebreak',
      ...handOver,
      node,
      program,
      'gateway',
      '--config',
      '/etc/firebreak/firebreak.yml',
    ];
    const env = { NODE_OPTIONS: '--require /nowhere.cjs', FIREBREAK_CONFIG: '/nowhere', PATH: '/usr/bin:/bin' };
    const hostile = await call(
      ['setpriv', '--reuid', 'siem', '--regid', 'siem', '--clear-groups', 'sudo', '-n', ...gateway],
      env,
    );
    expect(hostile.stderr)
      .to.match(/no command was given/)
      .and.not.match(/nowhere/);
  });

  it('is no shell, has no files and no forwarding, and says what it is', async () => {
    for (const [command, sentence] of [
      ['id', /"id" is not an alarm/],
      ['', /no command was given: only alarms are accepted, not a shell/],
      ["sh -c 'id'", /is not an alarm/],
      ['firebreak list', /is not an alarm/],
    ] as const) {
      const { exit, stderr } = await siem(command);
      expect({ command, exit }).to.deep.equal({ command, exit: 2 });
      expect(stderr).to.match(sentence);
    }
    expect((await call(['/usr/local/sbin/firebreak-gateway', '-c', ''])).stderr).to.match(
      /only alarms are accepted, not a shell/,
    );
    const sftp = [
      'sftp',
      '-F',
      '/dev/null',
      '-i',
      path.join(folder, 'siem_key'),
      '-P',
      String(port),
      '-b',
      '/dev/null',
    ];
    const safe = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'BatchMode=yes'];
    expect((await call([...sftp, ...safe, 'siem@127.0.0.1'])).exit).not.to.equal(0);
    expect((await siem('id', '-W', '127.0.0.1:1')).exit).to.equal(255);
  });

  it('lets root call firebreak, who goes on as the account whose ledger it is', async () => {
    const listed = await firebreak('list');
    expect(listed.stdout).to.include('203.0.113.7');
    expect((await firebreak('doctor', '--firewall', 'edge')).stdout).to.match(/✓ sshd +limits siem to the gateway/);
    expect((await firebreak('block', '203.0.113.8', '192.168.1.10', '22')).exit).to.equal(0);
    const foreign = await call(['find', '/var/lib/firebreak', '!', '-user', 'firebreak']);
    expect(foreign.stdout).to.equal('');
    expect((await siem('firebreak block 203.0.113.9 192.168.1.10 22')).exit).to.equal(0);
  });

  it('records the person behind sudo, and lets members of the group call firebreak by themselves', async () => {
    const person = { SUDO_USER: 'alice' };
    expect((await call([node, program, 'freeze', 'a test'], person)).exit).to.equal(0);
    expect((await call(['tail', '-n', '1', '/var/lib/firebreak/audit.jsonl'])).stdout).to.include('"by":"alice, ');
    await call(['useradd', '--no-create-home', '--groups', 'firebreak', 'bob']);
    const unfrozen = await as('bob', node, program, 'unfreeze');
    expect(unfrozen.stderr).to.equal('');
    expect(unfrozen.exit).to.equal(0);
    expect((await call(['tail', '-n', '1', '/var/lib/firebreak/audit.jsonl'])).stdout).to.include('"by":"bob, ');
  });

  it('tells anyone else whose the configuration is, and what to type', async () => {
    await call(['useradd', '--no-create-home', 'carol']);
    const { exit, stderr } = await as('carol', node, program, 'list');
    expect(stderr).to.match(
      /firebreak\.yml: permission denied; \/etc\/firebreak belongs to user 0 and group \d+, and you are carol; run sudo firebreak/,
    );
    expect(exit).to.equal(2);
  });

  it('is undone, and leaves nothing to a number that is free again', async () => {
    const undone = await firebreak('uninstall', '--yes');
    expect(undone.exit, undone.stderr).to.equal(0);
    expect((await call(['getent', 'passwd', 'siem', 'firebreak'])).stdout).to.equal('');
    const theirs = await call(['find', '/var/lib/firebreak', '/etc/firebreak', '!', '-user', 'root']);
    expect(theirs.stdout).to.equal('');
    const listed = await firebreak('list');
    expect(listed.stderr).to.equal('');
    expect(listed.stdout).to.include('203.0.113.7');
  });

  it('is installed again under another user id: the new account gets back what root kept for it', async () => {
    await call(['useradd', '--system', '--no-create-home', 'dave']); // takes the id that is free
    expect((await as('dave', 'cat', '/etc/firebreak/key')).exit).to.not.equal(0);
    const { exit, stderr } = await firebreak('install', '--systemd', '--yes');
    expect(stderr).to.include('/etc/firebreak: to root:firebreak');
    expect(exit).to.equal(0);
    expect((await as('firebreak', 'cat', '/etc/firebreak/key')).exit).to.equal(0);
    expect((await as('dave', 'cat', '/etc/firebreak/key')).exit).to.not.equal(0);
    const listed = await as('firebreak', node, program, 'list');
    expect(listed.stdout).to.include('203.0.113.7');
  });
});

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
