import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { openLedger } from '#firebreak/ledger/index.js';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { listTree, makeLauncher, program, settingsOf, type Answer, type Launcher } from '../lab/launcher.js';
import { canMount } from '../lab/namespace.js';
import { makeSensor } from '../lab/sensor.js';
import { makeKey, startSshd, type Sshd } from '../lab/sshd.js';

const run = promisify(execFile);
const alarm = '203.0.113.7 192.168.1.10 22';

interface Said {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever that is. */
async function end(command: string, args: readonly string[]): Promise<Said> {
  try {
    return { exit: 0, ...(await run(command, args)) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }; // of execFile
    return { exit: code, stdout, stderr };
  }
}

describe('firebreak gateway, behind a real sshd', function () {
  this.timeout(240_000);
  let edge: Firewall;
  let launcher: Launcher;
  let folder: string;
  let sshd: Sshd;
  let key: string;

  before(async () => {
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge) }, { log: { level: 'info', file: './log/firebreak.log' } });
    folder = mkdtempSync(path.join(tmpdir(), 'g-'));
    mkdirSync(path.join(folder, 'home'));
    key = path.join(folder, 'key');
    await makeKey(key);
    const { stdout } = await launcher.firebreak(['gateway', '--authorized-key', `${key}.pub`]);
    sshd = await startSshd({
      folder,
      home: path.join(folder, 'home'),
      authorizedKeys: [stdout.trimEnd()],
      // What a careless administrator might let through: none of it may count.
      environment: { PATH: process.env['PATH'] ?? '', FIREBREAK_CONFIG: '/tmp/none.yml', ANSIBLE_CONFIG: '/tmp/none' },
    });
  });

  after(async () => {
    await sshd.stop();
    rmSync(folder, { recursive: true, force: true });
    launcher.remove();
    await edge.stop();
  });

  /** Logs in with the key and asks for this; `options` come before the host. */
  async function ssh(command: string, ...options: string[]): Promise<Said> {
    const { host, port, user, knownHostsFile } = sshd;
    const known = ['-o', `UserKnownHostsFile=${knownHostsFile}`, '-o', 'BatchMode=yes', '-F', '/dev/null'];
    const args = [...known, '-i', key, '-p', String(port), '-l', user, ...options, host, ...(command ? [command] : [])];
    return end('ssh', args);
  }

  it("blocks for the article's own words, and answers as firebreak block does", async () => {
    const words = `sh /path/launcher.sh ${alarm} wan block inet blocked for ssh anomaly`;
    const { exit, stdout } = await ssh(words);
    expect(stdout).to.match(/^edge: blocked 203\.0\.113\.7 -> 192\.168\.1\.10 tcp\/22 on wan.*: in force/);
    expect(exit).to.equal(0);
    expect((await edge.loadedRules()).join('\n')).to.include('label "USER_RULE: blocked for ssh anomaly"');
    const again = await ssh(`firebreak block ${alarm} wan block inet blocked for ssh anomaly --json`);
    expect(again.exit).to.equal(0);
    const answer = JSON.parse(again.stdout) as Answer;
    expect(answer.blocks[0]).to.include({ state: 'active', changed: false, alarms: 2 });
    const { stdout: shown } = await launcher.firebreak(['show', answer.blocks[0]!.id]);
    expect(shown).to.include('by ssh from 127.0.0.1');
  });

  for (const [title, command, options] of [
    ['an empty command', '', []],
    ['a shell', 'bash -i', []],
    ['a second command', `firebreak block ${alarm}; touch CANARY`, []],
    ['a substitution', 'firebreak block $(touch CANARY) 192.168.1.10 22', []],
    ['another command of ours', 'firebreak unblock 203.0.113.7', []],
    ['an approval', 'firebreak approve --all', []],
    ['a look at the ledger', 'firebreak list --json', []],
    ['a standstill', 'firebreak freeze', []],
    ['the subsystem for files', 'sftp', ['-s']],
    ['a configuration of its own', `firebreak block ${alarm} --config /tmp/x.yml`, []],
    ['an override of the policy', 'firebreak block 127.0.0.1 192.168.1.10 22 --override-policy because', []],
    ['a variable before the command', `FIREBREAK_CONFIG=/tmp/x.yml firebreak block ${alarm}`, []],
  ] as const) {
    it(`refuses ${title} with exit 2, and logs it with the caller's address`, async () => {
      const canary = path.join(folder, 'canary');
      const text = command.replace('CANARY', canary);
      const before = await edge.loadedRules();
      const { exit, stdout } = await ssh(text, ...options);
      expect({ exit, stdout }).to.deep.equal({ exit: 2, stdout: '' });
      expect(existsSync(canary)).to.equal(false);
      expect(await edge.loadedRules()).to.deep.equal(before);
      const last = readFileSync(path.join(launcher.folder, 'log/firebreak.log'), 'utf8').trimEnd().split('\n').at(-1);
      const entry = JSON.parse(last ?? '') as { message: string; from: string };
      expect(entry.message).to.equal('gateway refused');
      expect(entry.from).to.match(/by ssh from 127\.0\.0\.1$/);
    });
  }

  it('has no terminal and no forwarding for the key', async () => {
    const { stderr } = await ssh('id', '-tt');
    expect(stderr).to.include('PTY allocation request failed');
    const forwarded = await ssh('id', '-o', 'ExitOnForwardFailure=yes', '-R', '0:localhost:1');
    expect(forwarded.exit).to.equal(255);
  });

  it('never blocks a network, though the policy lets a person do it', async () => {
    launcher.configure({ policy: { widest: { inet: 24 } } });
    try {
      const { exit, stderr } = await ssh('firebreak block 203.0.113.0/24 192.168.1.10 22');
      expect(exit).to.equal(2);
      expect(stderr).to.match(/203\.0\.113\.0\/24 is wider/);
    } finally {
      launcher.configure({ policy: {} });
    }
  });

  it('refuses an alarm that is none with exit 2, with --json too: it is not to come again', async () => {
    const { exit, stdout } = await ssh('firebreak block nonsense 192.168.1.10 22 --json');
    expect(exit).to.equal(2);
    expect(JSON.parse(stdout)).to.have.nested.include({ 'error.code': 'alarm_invalid', 'error.exit': 2 });
  });

  for (const [asked, longest, days] of [
    ['forever', '30d', 30],
    ['365d', '7d', 7],
    ['1h', '7d', 1 / 24],
  ] as const) {
    it(`blocks for ${days < 1 ? asked : longest} where an alarm asks for ${asked} and may for ${longest}`, async () => {
      launcher.configure({ policy: { longest } });
      try {
        const source = `203.0.113.${days < 1 ? 40 : 40 + days}`;
        const began = Date.now();
        const { exit, stdout, stderr } = await ssh(`firebreak block ${source} 192.168.1.10 22 --for ${asked} --json`);
        const ended = Date.now();
        expect(exit).to.equal(0);
        expect(stderr).to.equal(
          days < 1
            ? ''
            : `firebreak: --for ${asked} is longer than an alarm may request: blocked for ${longest} (policy.longest)\n`,
        );
        const { blocks } = JSON.parse(stdout) as Answer;
        expect(Date.parse(blocks[0]?.expires_at ?? '')).to.be.within(
          began + days * 86_400_000,
          ended + days * 86_400_000,
        );
      } finally {
        launcher.configure({ policy: {} });
      }
    });
  }

  it('answers 75 while as many are served as may be, and counts none that has ended', async () => {
    launcher.configure({ gateway: { max_sessions: 1 } });
    const ledger = await openLedger({ file: path.join(launcher.stateDir, 'ledger.db') });
    try {
      expect(
        await ledger.beginSession({
          id: 'the test itself',
          maxSessions: 1,
          maxPerCaller: 1,
          forMs: 60_000,
          isDryRun: false,
        }),
      ).to.equal(true);
      const { exit, stderr } = await ssh(`firebreak block ${alarm}`);
      expect(exit).to.equal(75);
      expect(stderr).to.equal(
        'firebreak: busy: at most 1 alarm at once, 16 per caller (gateway.max_sessions, max_per_caller); not recorded, send it again\n',
      );
      await ledger.endSession('the test itself');
      expect((await ssh(`firebreak block ${alarm}`)).exit).to.equal(0);
    } finally {
      await ledger.close();
      launcher.configure({ gateway: {} });
    }
  });

  it('answers 75 where its own configuration is broken: the alarm is to come again', async () => {
    launcher.configure({ nonsense: true });
    try {
      const { exit, stderr } = await ssh(`firebreak block ${alarm} --json`);
      expect(exit).to.equal(75);
      expect(stderr).to.match(/not recorded, send it again: firebreak\.yml: .*nonsense: unknown key/);
    } finally {
      launcher.configure({ nonsense: undefined });
    }
  });

  it('takes what the sensor script sends, and what waited meanwhile once', async () => {
    const { host, port, user, knownHostsFile } = sshd;
    const where = ['--host', host, '--port', String(port), '--user', user, '--known-hosts-file', knownHostsFile];
    const place = path.join(folder, 'siem');
    mkdirSync(place);
    const sensor = await makeSensor({
      folder: place,
      options: [...where, '--key-file', key, '--connect-timeout', '3'],
    });
    const words = [
      '--src-ip=203.0.113.20',
      '--dst-ip=192.168.1.10',
      '--dst-port=22',
      '--protocol=TCP',
      '--event-id=e-20',
    ];
    await sshd.goAway();
    expect(await sensor.call(words)).to.include({ exit: 75 });
    expect(await sensor.call(words)).to.include({ exit: 0 }); // known already
    await sshd.comeBack();
    await sensor.call(['--deliver']);
    expect(sensor.syslog().join('\n')).to.include('(exit 0: 203.0.113.20 ');
    expect(sensor.waiting()).to.deep.equal([]);
    expect(await sensor.call(['--src-ip=203.0.113.20', '--dst-ip=192.168.1.10', '--dst-port=22'])).to.include({
      exit: 0,
    });
    const { stdout } = await launcher.firebreak(['list', '--source', '203.0.113.20', '--json']);
    const { blocks } = JSON.parse(stdout) as { blocks: Answer['blocks'] };
    expect(blocks).to.have.length(1);
    expect(blocks[0]).to.include({ state: 'active', alarms: 2 });
  });

  describe('as the login shell of a password account', () => {
    const password = 'canary-login-shell-word';
    let place: string;
    let server: Sshd;

    before(async function () {
      if (!canMount()) this.skip();
      place = path.join(folder, 'login');
      mkdirSync(path.join(place, 'home'), { recursive: true });
      const shell = path.join(place, 'firebreak-gateway');
      const words = `${process.execPath} ${program} gateway --config ${launcher.configFile}`;
      writeFileSync(shell, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
      writeFileSync(path.join(place, 'password'), `${password}\n`, { mode: 0o600 });
      server = await startSshd({
        folder: place,
        home: path.join(place, 'home'),
        passwordAccount: { user: 'siem', password, shell },
        environment: { PATH: process.env['PATH'] ?? '' },
      });
    });

    after(async () => {
      if (canMount()) await server.stop();
    });

    /** Logs in by sshpass, as OSSIM's script does. */
    async function login(...command: string[]): Promise<Said> {
      const options = [`UserKnownHostsFile=${server.knownHostsFile}`, 'PubkeyAuthentication=no'];
      const way = ['-T', ...options.flatMap((each) => ['-o', each]), '-F', '/dev/null', '-p', String(server.port)];
      return end('sshpass', ['-f', path.join(place, 'password'), 'ssh', ...way, '-l', 'siem', server.host, ...command]);
    }

    it('takes an alarm and proves the block', async () => {
      const { exit, stdout } = await login('firebreak block 203.0.113.60 192.168.1.10 22 --json');
      expect(exit).to.equal(0);
      expect((JSON.parse(stdout) as Answer).blocks[0]).to.include({ state: 'active', source: '203.0.113.60' });
      expect((await edge.loadedRules()).join('\n')).to.include('from 203.0.113.60 to 192.168.1.10');
    });

    for (const words of [
      [],
      ['id'],
      ['sh -i'],
      ['firebreak list'],
      ['firebreak block 127.0.0.1 192.168.1.10 22 --override-policy=x'],
      ...['--help', '--version', '--json', '--config=/tmp/x.yml', '--authorized-key=/etc/shadow'].map((one) => [
        '--',
        one,
      ]),
    ]) {
      it(`refuses ${words.join(' ') || 'a login without a command'} with exit 2, on one line`, async () => {
        const { exit, stdout, stderr } = await login(...words);
        expect({ exit, stdout }).to.deep.equal({ exit: 2, stdout: '' });
        expect(stderr).to.match(/^firebreak: .*(?:is not an alarm|no command was given|unknown option).*\n$/);
      });
    }

    it('shows the password nowhere', () => {
      const left = [...listTree(launcher.folder), ...listTree(path.join(place, 'home'))];
      expect(left.filter((entry) => entry.includes(password))).to.deep.equal([]);
    });
  });

  it('serves a password account as its forced command, and keeps the password to itself', async function () {
    if (!canMount()) this.skip();
    const password = 'canary-gateway-word';
    const place = path.join(folder, 'password');
    mkdirSync(path.join(place, 'home'), { recursive: true });
    const server = await startSshd({
      folder: place,
      home: path.join(place, 'home'),
      passwordAccount: { user: 'siem', password },
      forceCommand: `${process.execPath} ${program} gateway --config ${launcher.configFile}`,
      environment: { PATH: process.env['PATH'] ?? '' },
    });
    try {
      const file = path.join(place, 'password');
      writeFileSync(file, `${password}\n`, { mode: 0o600 });
      const { host, port, user, knownHostsFile } = server;
      const where = ['--host', host, '--port', String(port), '--user', user, '--known-hosts-file', knownHostsFile];
      const siem = path.join(place, 'siem');
      mkdirSync(siem);
      const sensor = await makeSensor({ folder: siem, options: [...where, '--password-file', file] });
      expect(await sensor.call(['203.0.113.30', '192.168.1.10', '22'])).to.include({ exit: 0 });
      expect((await edge.loadedRules()).join('\n')).to.include('from 203.0.113.30 to 192.168.1.10');
      expect(await sensor.call(['127.0.0.1', '192.168.1.10', '22'])).to.include({ exit: 3 });
      const way = ['-p', String(port), '-l', user, '-F', '/dev/null', '-o', `UserKnownHostsFile=${knownHostsFile}`];
      const files = await end('sshpass', ['-f', file, 'ssh', ...way, '-s', host, 'sftp']);
      expect(files).to.include({ exit: 2, stdout: '' });
      const left = [...listTree(siem), ...listTree(launcher.folder), ...listTree(path.join(place, 'home'))];
      expect(left.filter((entry) => entry.includes(password))).to.deep.equal([]);
      expect(sensor.syslog().join('\n')).to.include('203.0.113.30').and.not.include('canary');
    } finally {
      await server.stop();
    }
  });
});
