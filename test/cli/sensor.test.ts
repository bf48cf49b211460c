import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { renderSensor, type SensorOptions } from '#firebreak/intake/sensor.js';
import { canMount } from '../lab/namespace.js';
import { makeSensor, type Sensor } from '../lab/sensor.js';
import { makeKey, startSshd, type Sshd } from '../lab/sshd.js';

const words: SensorOptions = {
  host: 'ansible.example.org',
  user: 'siem',
  port: '22',
  keyFile: '/opt/firebreak/key',
  passwordFile: undefined,
  knownHostsFile: '/opt/firebreak/known_hosts',
  command: 'firebreak block',
  script: '/opt/firebreak/alarm',
  spool: '/var/spool/firebreak',
  most: '1000',
  days: '7',
  connectSeconds: '10',
  totalSeconds: '150',
  check: false,
};

function readCommandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return ''; // it ended meanwhile
  }
}

const hasCommand = (name: string): boolean => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;

describe('renderSensor', () => {
  for (const [title, changes] of [
    ['with a key', {}],
    ['with a password', { passwordFile: '/opt/firebreak/password', check: true }],
  ] as const) {
    it(`makes a script that shellcheck finds nothing in, ${title}`, function () {
      if (!hasCommand('shellcheck')) this.skip();
      const { stdout } = spawnSync('shellcheck', ['-'], { input: renderSensor({ ...words, ...changes }) });
      expect(stdout.toString()).to.equal('');
    });
  }

  it('refuses words that do not belong into a script, all at once', () => {
    const bad = { ...words, host: undefined, user: "a';id;'", port: '70000', spool: 'spool', keyFile: '/opt/$(id)' };
    expect(() => renderSensor(bad)).to.throw(
      [
        '--host: is missing',
        '--user: expected a login name, got "a\';id;\'"',
        '--port: expected 1-65535, got "70000"',
        '--key-file: expected an absolute path of letters, digits and . _ / @ + -, got "/opt/$(id)"',
        '--spool: expected an absolute path of letters, digits and . _ / @ + -, got "spool"',
      ].join('\n'),
    );
  });
});

/** Plays Firebreak at the other end: notes what it is asked, and ends with the exit code that stands in a file. */
const receiver = `#!/bin/sh
printf '%s\\n' "$SSH_ORIGINAL_COMMAND" >>"$HOME/received"
printf '%s\\n' "$SSH_CONNECTION" >>"$HOME/connections"
if [ -e "$HOME/hang" ]; then exec sleep 60; fi
echo "the receiver answers"
exit "$(cat "$HOME/exit" 2>/dev/null || echo 0)"
`;

const alarm = ['203.0.113.7', '192.168.1.10', '22'];
const named = ['--src-ip=203.0.113.7', '--dst-ip=192.168.1.10', '--dst-port=22', '--event-id=e-1'];

describe('the sensor script', function () {
  this.timeout(120_000);
  let folder: string;
  let sshd: Sshd;
  let sensor: Sensor;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 's-'));
    writeFileSync(path.join(folder, 'receiver'), receiver);
    chmodSync(path.join(folder, 'receiver'), 0o755);
  });

  afterEach(async () => {
    await sshd.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const received = (): string[] => {
    const file = path.join(folder, 'received');
    return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  };
  const answerWith = (exit: number): void => writeFileSync(path.join(folder, 'exit'), String(exit));

  /** An sshd that lets a key in, and a script that uses it. */
  async function startWithKey(...options: string[]): Promise<void> {
    const key = path.join(folder, 'key');
    sshd = await startSshd({
      folder,
      authorizedKeys: [await makeKey(key)],
      forceCommand: path.join(folder, 'receiver'),
    });
    await make('--key-file', key, ...options);
  }

  async function make(...options: string[]): Promise<void> {
    const { host, port, user, knownHostsFile } = sshd;
    const where = ['--host', host, '--port', String(port), '--user', user, '--known-hosts-file', knownHostsFile];
    sensor = await makeSensor({ folder, options: [...where, ...options] });
  }

  for (const shell of ['dash', 'bash'].filter(hasCommand)) {
    it(`delivers an alarm in positions and in options, and says so to syslog alone (${shell})`, async () => {
      await startWithKey();
      expect(await sensor.call(alarm, shell)).to.deep.equal({ exit: 0, stdout: '', stderr: '' });
      const article = [...alarm, 'wan', 'block', 'inet', 'blocked', 'for', 'ssh', 'anomaly'];
      expect(await sensor.call(article, shell)).to.include({ exit: 0 });
      const options = [...named, '--protocol=TCP', '--risk=3', '--plugin-id=', '--sensor=192.0.2.30'];
      expect(await sensor.call(options, shell)).to.deep.equal({ exit: 0, stdout: '', stderr: '' });
      const [first, second, third] = received();
      expect(first).to.match(/^firebreak block 203\.0\.113\.7 192\.168\.1\.10 22 --event-id=[0-9a-f-]{36}$/);
      expect(second).to.match(
        /^firebreak block 203\.0\.113\.7 192\.168\.1\.10 22 wan block inet blocked for ssh anomaly --event-id=/,
      );
      expect(third).to.equal(
        'firebreak block 203.0.113.7 192.168.1.10 22 --protocol=TCP --risk=3 --sensor=192.0.2.30 --event-id=e-1',
      );
      expect(sensor.syslog()[0]).to.match(/^the receiver answers \(exit 0: 203\.0\.113\.7 /);
      expect(sensor.waiting()).to.deep.equal([]);
      expect(statSync(sensor.spool).mode & 0o777).to.equal(0o700);
    });

    it(`keeps what it cannot deliver, and delivers it in order and once (${shell})`, async () => {
      await startWithKey('--connect-timeout', '2');
      await sshd.goAway();
      for (const last of ['7', '8', '9', '8']) {
        const { exit } = await sensor.call([`203.0.113.${last}`, '192.168.1.10', '22', `--event-id=e-${last}`], shell);
        expect(exit).to.equal(last === '8' && sensor.waiting().length === 3 ? 0 : 75);
      }
      expect(sensor.waiting().map((line) => line.split(' ')[0])).to.deep.equal([
        '203.0.113.7',
        '203.0.113.8',
        '203.0.113.9',
      ]);
      await sshd.comeBack();
      expect(await sensor.call(['203.0.113.10', '192.168.1.10', '22'], shell)).to.include({ exit: 0 });
      expect(received().map((line) => line.split(' ')[2])).to.deep.equal([
        '203.0.113.7',
        '203.0.113.8',
        '203.0.113.9',
        '203.0.113.10',
      ]);
      expect(received()[1]).to.equal('firebreak block 203.0.113.8 192.168.1.10 22 --event-id=e-8 --no-wait');
      expect(sensor.waiting()).to.deep.equal([]);
    });

    it(`refuses words that are none of an alarm's, and sends nothing (${shell})`, async () => {
      await startWithKey();
      const canary = path.join(folder, 'canary');
      const bad: [string[], RegExp][] = [
        [[], /src-ip is missing/],
        [['203.0.113.7', '192.168.1.10'], /dst-port: expected 1-65535, got ""/],
        [['203.0.113.7', '22'], /dst-ip: expected an address, got "22"/],
        [['SRC_IP', 'DST_IP', 'DST_PORT'], /src-ip: OSSIM did not fill in SRC_IP/],
        [['0.0.0.0', '192.168.1.10', '22'], /0\.0\.0\.0 is not a host address/],
        [['203.0.113.7', '192.168.1.10', '0'], /dst-port: 0 is not a port/],
        [['203.0.113.7', '192.168.1.10', '65536'], /expected 1-65535, got "65536"/],
        [['203.0.113.7', '192.168.1.10', '022'], /expected 1-65535, got "022"/],
        [['203.0.113.256', '192.168.1.10', '22'], /expected an address, got "203\.0\.113\.256"/],
        [['203.0.113.07', '192.168.1.10', '22'], /expected an address/],
        [['203.0.113', '192.168.1.10', '22'], /expected an address/],
        [['1:2:3', '2001:db8::1', '22'], /expected an address/],
        [['2001:db8:::1', '2001:db8::1', '22'], /expected an address/],
        [['2001:db8::12345', '2001:db8::1', '22'], /expected an address/],
        [['evil.example', '192.168.1.10', '22'], /expected an address/],
        [[`$(touch ${canary})`, '192.168.1.10', '22'], /expected letters, digits/],
        [[`203.0.113.7;touch ${canary}`, '192.168.1.10', '22'], /expected letters, digits/],
        [['203.0.113.7\nJan 1 root: all is well', '192.168.1.10', '22'], /got "203\.0\.113\.7\?Jan 1/],
        [[...alarm, `\`touch ${canary}\``], /word 4: expected/],
        [[...alarm, '--config=/tmp/x.yml'], /unknown option "--config/],
        [[...alarm, '--override-policy=yes'], /unknown option/],
        [[...alarm, '-oProxyCommand=id'], /unknown option/],
        [[...alarm, '--', '-oProxyCommand=id'], /word 4: expected/],
        [[...alarm, `--risk=$(touch ${canary})`], /risk: expected/],
        [[...alarm, `--event-id=${'x'.repeat(65)}`], /event-id: longer than 64/],
      ];
      for (const [args] of bad) expect((await sensor.call(args, shell)).exit, args.join(' ')).to.equal(2);
      const told = sensor.syslog();
      expect(told).to.have.length(bad.length);
      bad.forEach(([, reason], index) =>
        expect(told[index])
          .to.match(reason)
          .and.match(/^refused: /),
      );
      expect(received()).to.deep.equal([]);
      expect(existsSync(canary)).to.equal(false);
    });
  }

  it('sends alarms that follow one another over one connection, and opens another where it was lost', async function () {
    const version = /OpenSSH_(\d+)/.exec(spawnSync('ssh', ['-V']).stderr.toString());
    if (Number(version?.[1]) < 9) this.skip();
    await startWithKey();
    const connections = (): Set<string> => new Set(readFileSync(path.join(folder, 'connections'), 'utf8').split('\n'));
    for (const last of ['7', '8', '9'])
      expect((await sensor.call([`203.0.113.${last}`, ...alarm.slice(1)])).exit).to.equal(0);
    expect(connections().size).to.equal(2); // the last line is empty
    expect(readdirSync(sensor.spool).filter((name) => /^[0-9a-f]{40}$/.test(name))).to.have.length(1);
    await sshd.goAway();
    expect(await sensor.call(['203.0.113.10', ...alarm.slice(1)])).to.include({ exit: 75 });
    await sshd.comeBack();
    expect(await sensor.call(['203.0.113.11', ...alarm.slice(1)])).to.include({ exit: 0 });
    expect(connections().size).to.equal(3);
    expect(received()).to.have.length(5);
  });

  it('takes the addresses that there are', async () => {
    await startWithKey();
    for (const source of ['2001:db8::7', '::1', '1:2:3:4:5:6:7:8', 'fe80::', '2001:DB8::a:b', '255.255.255.255']) {
      expect(await sensor.call([source, '2001:db8:1::10', '65535'])).to.include({ exit: 0 });
    }
    expect(await sensor.call(['203.0.113.7', '192.168.1.10', '0', '--protocol=ICMP'])).to.include({ exit: 0 });
    expect(await sensor.call(['::ffff:203.0.113.7', '192.168.1.10', '22'])).to.include({ exit: 0 });
    expect(await sensor.call(['::ffff:203.0.113.256', '192.168.1.10', '22'])).to.include({ exit: 2 });
    expect(received()).to.have.length(8);
  });

  it('cleans a description, however hostile, and lets the alarm through', async () => {
    await startWithKey();
    const words = [...alarm, 'wan', 'block', 'inet', '$(id);', '\n{{7*7}}'];
    expect(await sensor.call(words)).to.include({ exit: 0 });
    expect(await sensor.call([...named, '--description=ssh anomaly; "now"'])).to.include({ exit: 0 });
    expect(received()[0]).to.match(/ 22 wan block inet __id__ ___7_7__ --event-id=/);
    expect(received()[1]).to.include(' --description=ssh_anomaly___now_ --event-id=e-1');
    const dashed = [...alarm, 'wan', 'block', 'inet', '-weird', '--x=1', '--risk=3', '--', '--risk=9', '-'];
    expect(await sensor.call(dashed)).to.include({ exit: 0 });
    expect(received()[2]).to.match(/ 22 wan block inet weird x_1 risk_9 --risk=3 --event-id=/);
  });

  it("passes Firebreak's own answer on, and keeps only what Firebreak has not", async () => {
    await startWithKey();
    for (const [answer, exit, waits] of [
      [3, 3, 0],
      [7, 7, 0],
      [2, 2, 0],
      [75, 75, 1],
    ] as const) {
      answerWith(answer);
      expect(await sensor.call(alarm)).to.include({ exit });
      expect(sensor.waiting()).to.have.length(waits);
    }
    answerWith(0);
    await sensor.call(['--deliver']);
    expect(sensor.waiting()).to.deep.equal([]);
    expect(received()).to.have.length(5);
    const ids = received().map((line) => /--event-id=(\S+)/.exec(line)?.[1]);
    expect(ids[3]).to.equal(ids[4]);
  });

  it('ends a delivery that hangs after its time limit, and keeps the alarm', async () => {
    await startWithKey('--timeout', '2');
    writeFileSync(path.join(folder, 'hang'), '');
    expect(await sensor.call(alarm)).to.include({ exit: 75 });
    expect(sensor.waiting()).to.have.length(1);
    expect(sensor.syslog()[0]).to.match(/exit 124/);
  });

  it('holds no more than it may, and says what is lost', async () => {
    await startWithKey('--spool-most', '3', '--connect-timeout', '2');
    await sshd.goAway();
    const exits: (number | null)[] = [];
    for (const last of [1, 2, 3, 4]) exits.push((await sensor.call([`203.0.113.${last}`, ...alarm.slice(1)])).exit);
    expect(exits).to.deep.equal([75, 75, 75, 70]);
    expect(sensor.waiting()).to.have.length(3);
    expect(sensor.syslog().at(-1)).to.match(/^LOST: 203\.0\.113\.4 192\.168\.1\.10 22/);
  });

  it('loses nothing when many are called at once, and when one is ended by force', async () => {
    await startWithKey('--connect-timeout', '2');
    await sshd.goAway();
    const calls = [...Array(12).keys()].map((last) => sensor.call([`203.0.113.${last + 1}`, ...alarm.slice(1)]));
    expect((await Promise.all(calls)).map(({ exit }) => exit)).to.deep.equal(Array(12).fill(75));
    expect(sensor.waiting()).to.have.length(12);
    const [first] = sensor.waiting();
    mkdirSync(path.join(sensor.spool, 'now'), { recursive: true });
    writeFileSync(
      path.join(sensor.spool, 'now/9000000000000000000-1.1-1'),
      '203.0.113.99 192.168.1.10 22 --event-id=left\n',
    );
    await sshd.comeBack();
    await sensor.call(['--deliver']);
    expect(sensor.waiting()).to.deep.equal([]);
    expect(received()).to.have.length(13);
    expect(received()[0]).to.equal(`firebreak block ${first} --no-wait`);
    expect(received().at(-1)).to.include('203.0.113.99');
  });

  it('loses none of 500 that are called at once while the far end is away', async () => {
    await startWithKey('--connect-timeout', '2');
    await sshd.goAway();
    const shells = ['dash', 'bash'].filter(hasCommand);
    const calls = [...Array(500).keys()].map((index) =>
      sensor.call([`10.0.${index >> 8}.${index & 255}`, ...alarm.slice(1)], shells[index % shells.length]),
    );
    const exits = (await Promise.all(calls)).map(({ exit }) => exit);
    expect(exits.filter((exit) => exit !== 75)).to.deep.equal([]);
    expect(new Set(sensor.waiting().map((line) => line.split(' ')[0])).size).to.equal(500);
    expect(readdirSync(sensor.spool).filter((name) => name.startsWith('new.'))).to.deep.equal([]);
  });

  it('holds no more than it may of those that come at once, and tells of each that is lost', async () => {
    await startWithKey('--connect-timeout', '2', '--spool-most', '20');
    await sshd.goAway();
    const calls = [...Array(40).keys()].map((index) => sensor.call([`10.0.0.${index}`, ...alarm.slice(1)]));
    const exits = (await Promise.all(calls)).map(({ exit }) => exit);
    const lost = sensor.syslog().filter((line) => line.startsWith('LOST: '));
    // Who is counted before an earlier one is there stays too: the bound is kept but for a few.
    expect(sensor.waiting().length).to.be.within(20, 32);
    expect(lost).to.have.length(40 - sensor.waiting().length);
    expect(exits.filter((exit) => exit === 70)).to.have.length(lost.length);
  });

  it('makes nothing where its spool is a link, or a folder in it is one', async () => {
    await startWithKey('--connect-timeout', '2');
    const elsewhere = path.join(folder, 'elsewhere');
    mkdirSync(elsewhere);
    symlinkSync(elsewhere, sensor.spool);
    await sshd.goAway();
    expect((await sensor.call(alarm)).exit).to.equal(70);
    expect(readdirSync(elsewhere)).to.deep.equal([]);
    rmSync(sensor.spool);
    mkdirSync(sensor.spool, { mode: 0o700 });
    symlinkSync(elsewhere, path.join(sensor.spool, 'queue'));
    expect((await sensor.call(alarm)).exit).to.equal(70);
    expect(readdirSync(elsewhere)).to.deep.equal([]);
    expect(sensor.syslog().join()).to.include('cannot be used; continuing without it');
  });

  it('sends nothing that somebody else wrote into the spool', async () => {
    await startWithKey('--connect-timeout', '2');
    await sshd.goAway();
    await sensor.call(alarm);
    writeFileSync(path.join(sensor.spool, 'queue/100000000000.1-1'), 'x; touch /tmp/firebreak-canary\n');
    chmodSync(sensor.spool, 0o755);
    await sshd.comeBack();
    expect(await sensor.call(['203.0.113.8', ...alarm.slice(1)])).to.include({ exit: 0 }); // without the spool
    expect(sensor.syslog().join()).to.include('cannot be used; continuing without it');
    chmodSync(sensor.spool, 0o700);
    await sensor.call(['--deliver']);
    expect(received().map((line) => line.split(' ')[2])).to.deep.equal(['203.0.113.8', '203.0.113.7']);
    expect(sensor.syslog().join()).to.include('a line in the spool is not an alarm');
  });

  it('checks the host key: another host gets nothing', async () => {
    await startWithKey();
    await sshd.changeHostKey();
    expect(await sensor.call(alarm)).to.include({ exit: 75 });
    expect(sensor.syslog().join()).to.match(/Host key verification failed|HOST IDENTIFICATION HAS CHANGED/);
    expect(received()).to.deep.equal([]);
  });

  it('prints the line for cron', async () => {
    await startWithKey();
    expect(await sensor.call(['--cron'])).to.include({ stdout: `* * * * * root ${sensor.script} --deliver\n` });
  });

  describe('with a password', () => {
    const password = 'canary-sensor-word';

    beforeEach(async function () {
      if (!canMount() || !hasCommand('sshpass')) this.skip();
      sshd = await startSshd({
        folder,
        passwordAccount: { user: 'siem', password },
        forceCommand: path.join(folder, 'receiver'),
      });
      const file = path.join(folder, 'password');
      writeFileSync(file, `${password}\n`, { mode: 0o600 });
      await make('--password-file', file);
    });

    for (const shell of ['dash', 'bash'].filter(hasCommand)) {
      it(`delivers by sshpass, and hands on Firebreak's own exit code (${shell})`, async () => {
        for (const exit of [0, 5, 6, 9]) {
          answerWith(exit);
          expect(await sensor.call(alarm, shell)).to.deep.equal({ exit, stdout: '', stderr: '' });
        }
        expect(received()).to.have.length(4);
        expect(sensor.waiting()).to.deep.equal([]);
        expect(sensor.syslog().join()).to.include('the receiver answers (exit 5').and.not.include('canary');
      });

      it(`does not take sshpass's own exit code for Firebreak's: a wrong password keeps the alarm (${shell})`, async () => {
        writeFileSync(path.join(folder, 'password'), 'wrong\n', { mode: 0o600 });
        expect(await sensor.call(alarm, shell)).to.include({ exit: 75 });
        expect(sensor.waiting()).to.have.length(1);
        expect(received()).to.deep.equal([]);
      });
    }

    it('refuses a password file that others can read', async () => {
      chmodSync(path.join(folder, 'password'), 0o640);
      expect(await sensor.call(alarm)).to.include({ exit: 75 });
      expect(sensor.syslog().join()).to.include('that others cannot read');
      expect(received()).to.deep.equal([]);
    });

    it('is on no command line while it is used', async () => {
      writeFileSync(path.join(folder, 'hang'), '');
      const call = sensor.call(alarm);
      for (let tries = 0; received().length === 0 && tries < 500; tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const lines = readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map((pid) => readCommandLine(pid))
        .join('\n');
      expect(lines).to.include('sshpass -f').and.not.include('canary');
      await sshd.goAway();
      expect((await call).exit).to.equal(75);
    });
  });
});
