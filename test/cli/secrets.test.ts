import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { listTree, makeLauncher, settingsOf, type Answer, type Ended, type Launcher } from '../lab/launcher.js';
import { canMount } from '../lab/namespace.js';
import { findWithVariable } from '../lab/processes.js';
import { makeKey, startSshd, type Sshd } from '../lab/sshd.js';

const alarm = ['block', '203.0.113.7', '192.168.1.10', '22'];
const canaries = { login: 'canary-login-{{7*7}}-word', become: 'canary-become-word', outer: 'canary-outer-word' };

function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return ''; // it ended meanwhile
  }
}

/** Starts a program; how it ended, when it has. */
function endOf(command: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(command, args, (error, stdout, stderr) => {
      resolve({ exit: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

/** Command lines of all processes of the machine that hold a canary. */
function findInCommandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => readProc(pid, 'cmdline'))
    .filter((line) => Object.values(canaries).some((canary) => line.includes(canary)));
}

/** Whatever process it is: none has a password in its environment. */
const findInEnvironments = (): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => readProc(pid, 'environ'))
    .filter((text) => text.includes(canaries.login) || text.includes(canaries.become));

describe('firebreak block keeps a secret', function () {
  this.timeout(180_000); // several runs each, on a machine that may be busy
  let edge: Firewall;
  let launcher: Launcher;
  let sshd: Sshd | undefined;

  beforeEach(async () => {
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge) }, { log: { level: 'debug', file: './log/firebreak.log' } });
  });

  afterEach(async () => {
    await sshd?.stop();
    sshd = undefined;
    launcher.remove();
    await edge.stop();
  });

  function writeSecret(name: string, text: string): string {
    const file = path.join(launcher.folder, name);
    writeFileSync(file, `${text}\n`, { mode: 0o600 });
    return file;
  }

  const blockAsJson = (): Promise<Ended> =>
    launcher.start([...alarm, '--json'], { env: { SIEM_TOKEN: canaries.outer } }).ended;

  /** Runs an alarm, looks at all processes in its middle and at all that is left at its end. */
  async function expectKept(secretFiles: readonly string[], call = blockAsJson): Promise<void> {
    const release = await edge.holdLock();
    const ended = call();
    try {
      const run = await launcher.waitForEvent(({ task }) => task?.includes('Insert the missing rules') === true);
      const pids = findWithVariable('FIREBREAK_RUN_ID', path.basename(run)).map(String);
      expect(pids).to.not.deep.equal([]);
      expect(findInCommandLines()).to.deep.equal([]);
      for (const pid of pids) expect(readProc(pid, 'environ')).to.not.include('canary');
      expect(findInEnvironments()).to.deep.equal([]);
    } finally {
      await release();
    }
    const { exit, stdout, stderr } = await ended;
    expect({ exit, stderr, stdout }).to.deep.equal({ exit: 0, stderr: '', stdout });
    expect(stdout).to.not.include('canary');
    const left = listTree(launcher.folder).filter((entry) => !secretFiles.some((file) => entry.startsWith(file)));
    expect(left.filter((entry) => entry.includes('canary'))).to.deep.equal([]);
    expect(
      left.some((entry) => /firebreak\.log: [^]*203\.0\.113\.7/.test(entry)),
      'the log was written',
    ).to.equal(true);
    for (const args of [['config'], ['config', '--json']]) {
      const shown = await launcher.firebreak(args);
      expect(shown.exit).to.equal(0);
      expect(shown.stdout).to.include('password_file').and.not.include('canary');
    }
    const { id = '' } = (JSON.parse(stdout) as Answer).blocks[0] ?? {};
    for (const args of [['list', '--csv'], ['list', '--json'], ['show', id], ['audit'], ['check', '203.0.113.7']]) {
      const shown = await launcher.firebreak(args);
      expect(shown, args.join(' ')).to.include({ exit: 0, stderr: '' });
      expect(shown.stdout).to.include('203.0.113.7').and.not.include('canary');
    }
    const looked = await launcher.firebreak(['doctor', '--json']);
    expect(looked.stdout).to.include('edge').and.not.include('canary');
  }

  /** A firewall that asks for a password; its file holds the password, or prints it when it is run. */
  async function askForPassword(isProgram = false): Promise<string> {
    const folder = path.join(edge.root, 'password-ssh');
    mkdirSync(folder);
    sshd = await startSshd({
      folder,
      home: path.join(edge.root, 'home'),
      passwordAccount: { user: 'admin', password: canaries.login },
    });
    const file = writeSecret('login', isProgram ? `#!/bin/sh\necho '${canaries.login}'` : canaries.login);
    if (isProgram) chmodSync(file, 0o700);
    const { host, port, user, knownHostsFile } = sshd;
    const settings = { host, port, user, known_hosts_file: knownHostsFile, password_file: file, vars: edge.vars };
    launcher.configure({ firewalls: { edge: settings } });
    return file;
  }

  for (const isProgram of [false, true]) {
    const from = isProgram ? 'that a program of its own prints' : 'from a file';
    it(`that logs in: a password ${from} is on no command line, in no environment, log, record or answer`, async function () {
      if (!canMount()) this.skip();
      await expectKept([await askForPassword(isProgram)]);
    });
  }

  it('that logs in: also where the alarm comes through the gateway', async function () {
    if (!canMount()) this.skip();
    const file = await askForPassword();
    const folder = path.join(edge.root, 'gateway-ssh');
    mkdirSync(folder);
    const key = path.join(folder, 'key');
    await makeKey(key);
    const { stdout: line } = await launcher.firebreak(['gateway', '--authorized-key', `${key}.pub`]);
    const gate = await startSshd({
      folder,
      authorizedKeys: [line.trimEnd()],
      environment: { PATH: process.env['PATH'] ?? '', SIEM_TOKEN: canaries.outer },
    });
    try {
      const way = ['-F', '/dev/null', '-o', `UserKnownHostsFile=${gate.knownHostsFile}`, '-o', 'BatchMode=yes'];
      const words = ['-i', key, '-p', String(gate.port), '-l', gate.user, gate.host, 'firebreak', ...alarm, '--json'];
      await expectKept([file], () => endOf('ssh', [...way, ...words]));
    } finally {
      await gate.stop();
    }
  });

  it('that makes it root: as well', async () => {
    const file = writeSecret('become', canaries.become);
    const sudo = path.join(edge.root, 'sudo');
    writeFileSync(sudo, fakeSudo);
    chmodSync(sudo, 0o755);
    const become = { become: true, become_password_file: file };
    launcher.configure({
      firewalls: { edge: { ...settingsOf(edge), ...become, vars: { ...edge.vars, ansible_become_exe: sudo } } },
    });
    await expectKept([file]);
    writeFileSync(file, 'canary-that-is-wrong\n', { mode: 0o600 });
    const { exit, answer } = await launcher.json(['block', '203.0.113.8', '192.168.1.10', '22']);
    expect(exit).to.equal(5);
    expect(answer.blocks[0]?.reason).to.not.include('canary');
  });
});

/** Asks for the password as sudo -S does, and refuses a wrong one. */
const fakeSudo = `#!/bin/sh
prompt=
while [ $# -gt 0 ]; do
  case "$1" in
    -p) prompt=$2; shift 2 ;;
    -u) shift 2 ;;
    -*) shift ;;
    *) break ;;
  esac
done
printf '%s' "$prompt" >&2
IFS= read -r password
if [ "$password" != '${canaries.become}' ]; then
  echo 'sudo: 1 incorrect password attempt' >&2
  exit 1
fi
exec "$@"
`;
