import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import {
  makeLauncher,
  program,
  settingsOf,
  waitForEnd,
  waitUntil,
  type Answer,
  type Call,
  type Ended,
  type Launcher,
} from '../lab/launcher.js';
import { packageRoot } from '../lab/package-root.js';
import { makeKey, startSshd } from '../lab/sshd.js';

const client = path.join(packageRoot, 'templates/host/hand-over.py');
const caller = '192.0.2.9';
const limits = { per_minute: 10_000, active: 10_000, per_destination: 10_000 };

describe('an alarm over SSH that is handed to a running Firebreak', function () {
  this.timeout(180_000);
  let edge: Firewall;
  let launcher: Launcher;
  let socket: string;
  let counting: string;
  let started: string;
  const residents: Call[] = [];

  before(async () => {
    edge = await startFirewall();
    launcher = makeLauncher(
      { edge: settingsOf(edge) },
      {
        policy: { limits },
        gateway: { max_sessions: 300, max_per_caller: 300 },
      },
    );
    socket = path.join(launcher.stateDir, 'intake.sock');
    started = path.join(launcher.folder, 'started');
    counting = path.join(launcher.folder, 'firebreak');
    const words = `${process.execPath} ${program} gateway --config ${launcher.configFile}`;
    writeFileSync(counting, `#!/bin/sh\necho x >>${started}\nexec ${words} "$@"\n`, { mode: 0o755 });
  });

  afterEach(async () => {
    countStarted();
    edge.clearFaults();
    for (const resident of residents.splice(0)) {
      if (resident.child.exitCode === null) resident.child.kill('SIGCONT');
      resident.child.kill('SIGTERM');
      await resident.ended;
    }
  });

  after(async () => {
    launcher.remove();
    await edge.stop();
  });

  async function startResident(...words: string[]): Promise<Call> {
    const resident = launcher.start(words.length > 0 ? words : ['run']);
    residents.push(resident);
    await waitUntil('the socket', () => existsSync(socket));
    return resident;
  }

  function open(command: string | Buffer, env: NodeJS.ProcessEnv = {}): { ended: Promise<Ended> } {
    const child = spawn('/usr/bin/python3', ['-IS', client, socket, counting], {
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOME: launcher.home,
        TMPDIR: process.env['TMPDIR'],
        SSH_CLIENT: `${caller} 40000 22`,
        SSH_ORIGINAL_COMMAND: command.toString('latin1'),
        ...env,
      },
    });
    return { ended: waitForEnd(child) };
  }
  const call = (command: string): Promise<Ended> => open(command).ended;

  /** How many programs of their own the calls have started since the last time. */
  function countStarted(): number {
    if (!existsSync(started)) return 0;
    const count = readFileSync(started, 'utf8').length / 2;
    rmSync(started);
    return count;
  }

  /** The audit log's entries of alarms from this source, without what differs between any two. */
  function decisions(source: string): object[] {
    const lines = readFileSync(path.join(launcher.stateDir, 'audit.jsonl'), 'utf8').trimEnd().split('\n');
    return lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ event, flow }) => event === 'alarm' && String(flow).includes(` ${source} `))
      .map(({ event, by, origin, state, context }) => ({ event, by, origin, state, context }));
  }

  const alarmsOf = async (source: string): Promise<number[]> => {
    const { stdout } = await launcher.firebreak(['list', '--state', 'all', '--source', source, '--json']);
    return (JSON.parse(stdout) as Pick<Answer, 'blocks'>).blocks.map(({ alarms }) => alarms);
  };

  it('is blocked and proven without a program of its own, by serve and by run', async () => {
    for (const [index, words] of [['run'], ['serve', '--listen', '127.0.0.1:0']].entries()) {
      const resident = await startResident(...words);
      const source = `203.0.113.${10 + index}`;
      const { exit, stdout, stderr } = await call(
        `firebreak block ${source} 192.168.1.10 22 wan block inet by ${words[0]}`,
      );
      expect({ exit, stderr }).to.deep.equal({ exit: 0, stderr: '' });
      expect(stdout).to.match(
        /^edge: blocked 203\.0\.113\.\d+ -> 192\.168\.1\.10 tcp\/22 on wan.*: in force and proven/,
      );
      expect((await edge.loadedRules()).join('\n')).to.include(`label "USER_RULE: by ${words[0]}"`);
      expect(countStarted()).to.equal(0);
      expect(statSync(socket).mode & 0o077).to.equal(0);
      resident.child.kill('SIGTERM');
      expect((await resident.ended).exit).to.equal(0);
      expect(existsSync(socket)).to.equal(false);
    }
  });

  it('is recorded at once with --no-wait, and applied by the one that took it', async () => {
    await startResident();
    const { exit, stdout } = await call('firebreak block 203.0.113.15 192.168.1.10 22 --no-wait');
    expect(exit).to.equal(0);
    expect(stdout).to.match(/^edge: queued 203\.0\.113\.15 /);
    await waitUntil('the rule', async () => (await edge.loadedRules()).join().includes('from 203.0.113.15 '));
    expect(countStarted()).to.equal(0);
  });

  it('gets the same answers as from a program of its own, and the same entries in the audit log', async () => {
    const commands = [
      'bash -i',
      'firebreak list',
      'firebreak block 203.0.113.7 192.168.1.10 22; touch /tmp/x',
      'firebreak block $(id) 192.168.1.10 22',
      'firebreak block 127.0.0.1 192.168.1.10 22',
      'firebreak block 127.0.0.1 192.168.1.10 22 --json --event-id=e-1',
      'firebreak block 203.0.113.0/24 192.168.1.10 22',
      'firebreak block nonsense 192.168.1.10 99999',
      'firebreak block nonsense 192.168.1.10 99999 --json',
      'firebreak block 203.0.113.7 192.168.1.10 22 --firewall=nowhere',
      `firebreak block ${caller} 192.168.1.10 22`,
      'firebreak block 203.0.113.8 192.168.1.10 22 --check',
      'firebreak block 203.0.113.7 192.168.1.10 22 wan block inet one\ntwo',
      'firebreak block "203.0.113.7 192.168.1.10 22',
      'firebreak block \u00e9\u00ff\u0080 192.168.1.10 22',
      `firebreak block 203.0.113.7 192.168.1.10 22 ${'x'.repeat(20_000)}`,
      `firebreak block 203.0.113.7 192.168.1.10 22 ${'x'.repeat(70_000)}`,
    ];
    const answers = async (): Promise<object[]> => {
      const all: object[] = [];
      for (const command of commands) all.push(withoutIds(await call(command)));
      return all;
    };
    await call('firebreak block 203.0.113.7 192.168.1.10 22');
    countStarted();
    const apart = await answers();
    expect(countStarted()).to.equal(commands.length);
    const before = decisions('127.0.0.1');
    await startResident();
    const together = await answers();
    for (const [index, command] of commands.entries())
      expect(together[index], command.slice(0, 100)).to.deep.equal(apart[index]);
    expect(countStarted()).to.equal(1); // 70 kB are more than it takes
    expect(decisions('127.0.0.1').slice(before.length)).to.deep.equal(before);
    expect(JSON.stringify(before)).to.include(`by ssh from ${caller}`);
  });

  it('is done by the caller where none answers, and recorded once', async () => {
    const resident = await startResident();
    // It holds neither the firewall nor the ledger while it waits for the next alarm.
    expect((await call('firebreak block 203.0.113.20 192.168.1.11 22')).exit).to.equal(0);
    resident.child.kill('SIGSTOP');
    const { exit } = await call('firebreak block 203.0.113.20 192.168.1.10 22');
    expect(exit).to.equal(0);
    expect(countStarted()).to.equal(1);
    resident.child.kill('SIGCONT');
    // The resident still finds the request: a later one shows that it has read it.
    expect((await call('firebreak block 203.0.113.21 192.168.1.10 22')).exit).to.equal(0);
    expect(await alarmsOf('203.0.113.20')).to.deep.equal([1, 1]);
  });

  it('is finished by the caller if the process that took it is killed, and another one then listens', async () => {
    const first = await startResident();
    const second = launcher.start(['run']);
    residents.push(second);
    edge.setFaults({ reloadStall: 3 });
    const open1 = open('firebreak block 203.0.113.30 192.168.1.10 22');
    await waitUntil('the alarm', async () => (await alarmsOf('203.0.113.30')).length > 0);
    const { ino } = statSync(socket);
    first.child.kill('SIGKILL');
    const { exit, stdout } = await open1.ended;
    expect(stdout).to.include('203.0.113.30');
    expect(exit).to.equal(0);
    expect(countStarted()).to.equal(1);
    expect(await alarmsOf('203.0.113.30')).to.deep.equal([1]);
    await waitUntil('the next one to listen', () => existsSync(socket) && statSync(socket).ino !== ino);
    expect((await call('firebreak block 203.0.113.30 192.168.1.10 22')).exit).to.equal(0);
    expect(countStarted()).to.equal(0);
  });

  it('is one of three hundred at once: none is lost, none doubled', async () => {
    await startResident();
    const sources = Array.from({ length: 300 }, (_, index) => `203.0.114.${1 + (index % 250)}`);
    const flows = sources.map((source, index) => `${source} 192.168.1.${10 + Math.floor(index / 250)} 22`);
    const queue = [...flows];
    const exits: (number | null)[] = [];
    const work = async (): Promise<void> => {
      for (let flow = queue.shift(); flow !== undefined; flow = queue.shift())
        exits.push((await call(`firebreak block ${flow} --no-wait`)).exit);
    };
    await Promise.all(Array.from({ length: 40 }, work));
    expect(exits.filter((exit) => exit !== 0)).to.deep.equal([]);
    countStarted(); // a busy machine may not give the sign of life in time: then the other way is taken
    const { stdout } = await launcher.firebreak([
      'list',
      '--state',
      'all',
      '--source',
      '203.0.114.0/24',
      '--limit',
      '1000',
      '--json',
    ]);
    const { blocks } = JSON.parse(stdout) as Pick<Answer, 'blocks'>;
    expect(blocks.map(({ alarms }) => alarms)).to.deep.equal(flows.map(() => 1));
  });

  it('answers 75 while as many are served as may be', async () => {
    launcher.configure({ gateway: { max_sessions: 1, max_per_caller: 1 } });
    try {
      await startResident();
      edge.setFaults({ reloadStall: 3 });
      const first = open('firebreak block 203.0.113.40 192.168.1.10 22');
      await waitUntil('the alarm', async () => (await alarmsOf('203.0.113.40')).length > 0);
      const { exit, stderr } = await call('firebreak block 203.0.113.41 192.168.1.10 22');
      expect(exit).to.equal(75);
      expect(stderr).to.match(
        /^firebreak: busy: at most 1 alarm at once, 1 per caller .*not recorded, send it again\n$/,
      );
      expect((await first.ended).exit).to.equal(0);
      expect(countStarted()).to.equal(0);
    } finally {
      launcher.configure({ gateway: { max_sessions: 300, max_per_caller: 300 } });
    }
  });

  it('is done by the caller from the moment that the configuration changes', async () => {
    const resident = await startResident();
    launcher.configure({ policy: { limits, never_block: ['203.0.113.50'] } });
    try {
      const { exit, stdout } = await call('firebreak block 203.0.113.50 192.168.1.10 22');
      expect(exit).to.equal(3);
      expect(stdout).to.include('policy.never_block');
      expect(countStarted()).to.equal(1);
      await waitUntil('the end of the socket', () => !existsSync(socket));
    } finally {
      launcher.configure({ policy: { limits } });
    }
    resident.child.kill('SIGTERM');
    expect((await resident.ended).stderr).to.include('the configuration has changed');
  });

  it('is handed over by the line of authorized_keys, from a real sshd', async () => {
    const folder = path.join(launcher.folder, 'ssh');
    const key = path.join(launcher.folder, 'key');
    mkdirSync(folder);
    await makeKey(key);
    const { stdout } = await launcher.firebreak(['gateway', '--authorized-key', `${key}.pub`]);
    expect(stdout).to.match(
      /^restrict,command="\/usr\/bin\/python3 -IS \S+hand-over\.py \S+intake\.sock \S+ \S+cli\.js gateway --config /,
    );
    const sshd = await startSshd({
      folder,
      home: launcher.home,
      authorizedKeys: [stdout.trimEnd()],
      environment: { PATH: process.env['PATH'] ?? '' },
    });
    try {
      await startResident();
      const way = [
        '-F',
        '/dev/null',
        '-o',
        `UserKnownHostsFile=${sshd.knownHostsFile}`,
        '-o',
        'BatchMode=yes',
        '-i',
        key,
      ];
      const words = [
        ...way,
        '-p',
        String(sshd.port),
        '-l',
        sshd.user,
        sshd.host,
        'firebreak block 203.0.113.60 192.168.1.10 22 --json',
      ];
      const ended = await waitForEnd(spawn('ssh', words, { stdio: ['ignore', 'pipe', 'pipe'] }));
      expect(ended).to.include({ exit: 0, stderr: '' });
      expect((JSON.parse(ended.stdout) as Answer).blocks[0]).to.include({ state: 'active', source: '203.0.113.60' });
      expect(JSON.stringify(decisions('203.0.113.60'))).to.include('by ssh from 127.0.0.1');
    } finally {
      await sshd.stop();
    }
  });
});

/** Ids and times differ between any two answers. */
const withoutIds = ({ exit, stdout, stderr }: Ended): object => ({
  exit,
  stdout: stdout
    .replace(/[0-9A-HJKMNP-TV-Z]{26}/g, 'ID')
    .replace(/"\w+_at":"[^"]*"/g, '"at"')
    .replace(/"alarms":\d+/g, '"alarms"')
    .replace(/"ms":\d+/g, '"ms"')
    .replace(/id [0-9A-Z]{6}/g, 'id')
    .replace(/\d+\.\d s/g, 's')
    .replace(/in force(?: and|,) proven(?: \d+s ago)?/g, 'in force')
    .replace(/to \w{3} [\d:]{5}/g, 'to then'),
  stderr,
});
