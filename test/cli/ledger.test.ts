import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSync } from '@photostructure/sqlite';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, program, settingsOf, waitUntil, type AnswerBlock, type Launcher } from '../lab/launcher.js';
import { readMessages } from '../lab/messages.js';
import { canMount } from '../lab/namespace.js';

const alarm = (port: number | string, ...more: string[]): string[] => [
  'block',
  '203.0.113.7',
  '192.168.1.10',
  String(port),
  ...more,
];
const firstLine = (text: string): string => text.split('\n')[0] ?? '';
const unlimited = { policy: { limits: { per_minute: 100_000 } } };

describe('the ledger, through the built program,', function () {
  this.timeout(120_000);
  let edge: Firewall;
  let launcher: Launcher;

  beforeEach(async () => {
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge) }, unlimited);
  });

  afterEach(async () => {
    launcher.remove();
    await edge.stop();
  });

  const loadedPorts = async (): Promise<string[]> =>
    (await edge.loadedRules()).flatMap(
      (rule) => / from 203\.0\.113\.7 to 192\.168\.1\.10 port = (\S+)/.exec(rule)?.[1] ?? [],
    );

  const rulesInFile = (): number => edge.readConfig().split('<address>203.0.113.7</address>').length - 1;

  async function listed(...args: string[]): Promise<readonly AnswerBlock[]> {
    const { stdout } = await launcher.firebreak(['list', ...args, '--json']);
    return (JSON.parse(stdout) as { blocks: AnswerBlock[] }).blocks; // list --json
  }

  const states = async (...args: string[]): Promise<string[]> => (await listed(...args)).map(({ state }) => state);

  const isQuiet = (): boolean => !launcher.runs().some((run) => existsSync(path.join(run, 'tmp'))); // a run under way has a temporary folder

  describe('group commit:', () => {
    it('of twenty alarms at once none is lost, none doubled, and a few runs carry them all', async () => {
      const ports = Array.from({ length: 20 }, (_, index) => 7001 + index);
      const ended = await Promise.all(ports.map((port) => launcher.firebreak(alarm(port))));
      // 8 for those who found as many waiting as may.
      expect(ended.filter(({ exit }) => exit !== 0 && exit !== 8)).to.deep.equal([]);
      await waitUntil('all in force', async () => (await states()).every((state) => state === 'active'), 60_000);
      expect((await loadedPorts()).map(Number).sort()).to.deep.equal(ports);
      expect(rulesInFile()).to.equal(20);
      expect(launcher.runs().length).to.be.at.most(6);
      expect(edge.reloads()).to.equal(launcher.runs().length);
      await waitUntil('every run ended', isQuiet);
    });

    it('the same alarm twenty times at once is one block that counts twenty', async () => {
      await Promise.all(Array.from({ length: 20 }, () => launcher.firebreak(alarm(22))));
      await waitUntil('in force', async () => (await states()).join() === 'active', 60_000);
      expect((await listed())[0]?.alarms).to.equal(20);
      expect(rulesInFile()).to.equal(1);
      await waitUntil('every run ended', isQuiet);
    });

    it('--no-wait returns when the alarm is kept; a process of its own carries it and ends', async () => {
      const { exit, answer } = await launcher.json(alarm(22, '--no-wait'));
      expect({ exit, state: answer.state, run: answer.run }).to.deep.equal({ exit: 0, state: 'pending', run: null });
      await waitUntil('in force', async () => (await states()).join() === 'active');
      expect(await loadedPorts()).to.deep.equal(['ssh']);
      await waitUntil('the run ended', isQuiet);
    });

    it('block, unblock, block at once ends as the last one kept', async () => {
      await launcher.firebreak(alarm(22));
      const calls = [['unblock', '203.0.113.7', '--no-wait'], alarm(22, '--no-wait'), ['unblock', '203.0.113.7']];
      for (const words of calls) await launcher.firebreak(words);
      await waitUntil('settled', async () => (await states()).length === 0);
      expect(await loadedPorts()).to.deep.equal([]);
      await waitUntil('the run ended', isQuiet);
    });
  });

  describe('a launcher killed by force', () => {
    it('while its run is under way loses nothing: the next one ends the orphan and settles it', async () => {
      const call = launcher.start(alarm(22));
      const run = await launcher.waitForEvent(({ event }) => event === 'task');
      call.child.kill('SIGKILL');
      await call.ended;
      expect(await states()).to.deep.equal(['pending']);
      await waitUntil('the lease lapsed and the block in force', async () => {
        await launcher.firebreak(['drain']);
        return (await states()).join() === 'active';
      });
      expect(await loadedPorts()).to.deep.equal(['ssh']);
      expect(rulesInFile()).to.equal(1);
      expect(launcher.runs()).to.have.length(2).and.include(run);
    });
  });

  describe('unblock', () => {
    it('releases what matches, proves it gone, and leaves the others; twice is no fault', async () => {
      for (const port of [22, 443]) await launcher.firebreak(alarm(port));
      const { exit, answer } = await launcher.json(['unblock', '203.0.113.7', '192.168.1.10', '22']);
      expect(exit).to.equal(0);
      expect(answer).to.not.have.property('alarm');
      expect(answer.blocks.map(({ state, port, changed }) => ({ state, port, changed }))).to.deep.equal([
        { state: 'released', port: '22', changed: true },
      ]);
      expect(await loadedPorts()).to.deep.equal(['https']);
      const again = await launcher.json(['unblock', '203.0.113.7', '192.168.1.10', '22']);
      expect(again.exit).to.equal(0);
      expect(again.answer.run).to.equal(null);
      expect(await states('--state', 'all')).to.deep.equal(['released', 'active']);
    });

    it('by the end of an id, as list shows it', async () => {
      await launcher.firebreak(alarm(22));
      const { stdout } = await launcher.firebreak(['list']);
      const id = /([0-9A-Z]{6})\n$/.exec(stdout)?.[1] ?? '';
      expect((await launcher.firebreak(['unblock', '--id', id])).stdout).to.match(
        /^edge: released .*: removed and proven/,
      );
      expect(rulesInFile()).to.equal(0);
    });

    it('--check says what it would release, and releases nothing', async () => {
      await launcher.firebreak(alarm(22));
      const before = edge.readConfig();
      const { exit, stdout } = await launcher.firebreak(['unblock', '203.0.113.7', '--check']);
      expect(exit).to.equal(0);
      expect(stdout).to.match(/^edge: would release 203\.0\.113\.7 .*nothing was changed/);
      expect(edge.readConfig()).to.equal(before);
      expect(await states()).to.deep.equal(['active']);
    });

    it('of what never stood exits 2 and says where to look', async () => {
      const { exit, answer } = await launcher.jsonError(['unblock', '198.51.100.99']);
      expect(exit).to.equal(2);
      expect(answer.error).to.deep.include({ code: 'block_unknown' });
      expect(answer.error.message).to.include('firebreak list');
    });
  });

  describe('list and show', () => {
    beforeEach(async () => {
      await launcher.firebreak(alarm(22, '--event-id', 'e-1', '--risk', '3', '--for', '2h'));
      await launcher.firebreak(alarm(443, '--for', 'forever'));
    });

    it('fit 80 columns and say what stands, since when and for how long', async () => {
      const { stdout } = await launcher.firebreak(['list']);
      const [heading, first, second] = stdout.split('\n');
      expect(heading).to.match(/^STATE +SOURCE +DESTINATION +SINCE +END +ALARMS +ID$/);
      expect(first).to.match(
        /^active(?: \?)? +203\.0\.113\.7 +192\.168\.1\.10 tcp\/22 +\d+s +\w{3} \d\d:\d\d +1 +[0-9A-Z]{6}$/,
      );
      expect(second).to.match(/tcp\/443 .* forever +1 /);
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).to.be.at.most(80);
    });

    it('--csv gives what import takes', async () => {
      const { stdout } = await launcher.firebreak(['list', '--csv']);
      const file = path.join(launcher.folder, 'list.csv');
      writeFileSync(file, stdout);
      const { exit, stdout: said } = await launcher.firebreak(['import', file]);
      expect({ exit, said: firstLine(said) }).to.deep.equal({ exit: 0, said: '2 entries: 2 active' });
      expect(await states()).to.have.length(2);
    });

    it('show names alarm, run folder and the command to undo it', async () => {
      const [block] = await listed();
      const { stdout } = await launcher.firebreak(['show', block?.id ?? '']);
      expect(stdout)
        .to.match(/^block +[0-9A-Z]{6}$/m)
        .and.include('event-id=e-1')
        .and.include('risk=3');
      const record = /last run +(\S+)/.exec(stdout)?.[1] ?? '';
      expect(statSync(record).isDirectory()).to.equal(true);
      expect(stdout).to.include(`firebreak unblock ${block?.id.slice(-6)}`);
    });

    it('of a state that does not exist exits 2 and names those that do', async () => {
      const { answer } = await launcher.jsonError(['list', '--state', 'activ']);
      expect(answer.error.message).to.match(/expected held, pending, active, .* or all, got "activ"/);
    });
  });

  describe('time', () => {
    it('releases a block when it is over, by expire', async () => {
      await launcher.firebreak(alarm(22, '--for', '1s'));
      await waitUntil('over', async () => {
        const { stdout } = await launcher.firebreak(['expire']);
        return stdout.includes('released');
      });
      expect(rulesInFile()).to.equal(0);
      expect((await launcher.firebreak(['expire'])).stdout).to.equal('nothing was due\n');
    });

    it('answers 8 where as many wait for a run as may, and 0 where nobody asked to wait', async () => {
      launcher.configure({ dispatch: { max_waiting: 0 } });
      edge.setFaults({ reloadStall: 4 });
      const first = launcher.start(alarm(31));
      await launcher.waitForEvent(({ task }) => task?.includes('Reload the rules') === true);
      const { exit, answer } = await launcher.json(alarm(32));
      expect({ exit, told: answer.exit, state: answer.state }).to.deep.equal({ exit: 8, told: 8, state: 'pending' });
      expect((await launcher.firebreak(alarm(33, '--no-wait'))).exit).to.equal(0);
      edge.clearFaults();
      expect((await first.ended).exit).to.equal(0);
      await waitUntil('all three in force', () => rulesInFile() === 3);
    });

    it('keeps no more run folders than configured', async () => {
      launcher.configure({ ansible: { keep_runs: 2 } });
      for (const port of [1, 2, 3]) await launcher.firebreak(alarm(port));
      expect(launcher.runs()).to.have.length(2);
    });
  });

  describe('import', () => {
    it('blocks a list of addresses in one run', async () => {
      const file = path.join(launcher.folder, 'banned.txt');
      writeFileSync(file, ['# banned', '203.0.113.7', '203.0.113.8   2026-11-24 + 600 =', ''].join('\n'));
      const { exit, stdout } = await launcher.firebreak([
        'import',
        file,
        '--dst-ip',
        '192.168.1.10',
        '--dst-port',
        '22',
      ]);
      expect({ exit, said: firstLine(stdout) }).to.deep.equal({ exit: 0, said: '2 entries: 2 active' });
      expect(launcher.runs()).to.have.length(1);
    });

    it('carries ten thousand with less than 200 MB of memory', async function () {
      this.timeout(300_000); // Ten runs of a thousand each, on whatever machine this is.
      launcher.configure({ policy: { limits: { per_minute: 100_000, active: 100_000 } } });
      const file = path.join(launcher.folder, 'banned.txt');
      const sources = Array.from({ length: 10_000 }, (_, at) => `203.0.${Math.floor(at / 250)}.${1 + (at % 250)}`);
      writeFileSync(file, sources.join('\n'));
      const probe = path.join(launcher.folder, 'probe.cjs');
      const peak = path.join(launcher.folder, 'peak');
      writeFileSync(
        probe,
        `process.on('exit', () => require('fs').appendFileSync('${peak}', process.resourceUsage().maxRSS + '\\n'))`,
      );
      const { exit, stdout } = await launcher.firebreak(
        ['import', file, '--dst-ip', '192.168.1.10', '--dst-port', '22'],
        { env: { NODE_OPTIONS: `--require ${probe}` } },
      );
      expect({ exit, said: firstLine(stdout) }).to.deep.equal({ exit: 0, said: '10000 entries: 10000 active' });
      const kilobytes = readFileSync(peak, 'utf8').trimEnd().split('\n').map(Number);
      expect(Math.max(...kilobytes)).to.be.within(1, 200 * 1024);
    });

    it('takes what CrowdSec and fail2ban export', async () => {
      const crowdsec = [
        {
          id: 1,
          source: { ip: '203.0.113.7' },
          decisions: [{ value: '203.0.113.7', duration: '3h59m', scenario: 'ssh-bf' }],
        },
      ];
      const fail2ban = "[{'sshd': ['203.0.113.8', '203.0.113.9']}]";
      for (const text of [JSON.stringify(crowdsec), fail2ban]) {
        const file = path.join(launcher.folder, 'list.json');
        writeFileSync(file, text);
        const { exit } = await launcher.firebreak(['import', file, '--dst-ip', '192.168.1.10', '--dst-port', '22']);
        expect(exit).to.equal(0);
      }
      expect((await listed()).map(({ source }) => source)).to.deep.equal(['203.0.113.7', '203.0.113.8', '203.0.113.9']);
    });

    it('holds what is beyond policy.limits.active, and nothing for coming fast, and asks by mail', async () => {
      const mail = { host: '127.0.0.1', port: 9, from: 'firebreak@example.org', to: ['soc@example.org'] };
      launcher.configure({ policy: { limits: { per_minute: 1, active: 2 } }, mail });
      const file = path.join(launcher.folder, 'banned.txt');
      writeFileSync(file, ['203.0.113.7', '203.0.113.8', '203.0.113.9', '203.0.113.10'].join('\n'));
      const { exit, stdout } = await launcher.firebreak([
        ...['import', file, '--dst-ip', '192.168.1.10', '--dst-port', '22'],
      ]);
      expect({ exit, said: firstLine(stdout) }).to.deep.equal({ exit: 7, said: '4 entries: 2 active, 2 held' });
      const messages = readMessages(path.join(launcher.stateDir, 'ledger.db'));
      expect(messages.map(({ kind }) => kind)).to.deep.equal(['mail']);
      expect(messages[0]?.content['text'])
        .to.match(/held now +2\n/)
        .and.include('203.0.113.9 -> 192.168.1.10');
      expect((await launcher.firebreak(['approve', '--all'])).exit).to.equal(0);
    });

    it('of a list with a bad entry keeps nothing, and names every bad line', async () => {
      const file = path.join(launcher.folder, 'list.csv');
      writeFileSync(
        file,
        'ip,destination,port\n203.0.113.7,192.168.1.10,22\nbad,192.168.1.10,22\n203.0.113.8,192.168.1.10,70000\n',
      );
      const { exit, answer } = await launcher.jsonError(['import', file]);
      expect(exit).to.equal(2);
      expect(answer.error.message)
        .to.match(/line 3: .*"bad"/)
        .and.match(/line 4: .*70000/)
        .and.include('nothing was recorded');
      expect(await listed()).to.deep.equal([]);
    });
  });

  describe('held, failed and waiting blocks', () => {
    it('beyond policy.limits are held with exit 7 until approved or rejected', async () => {
      launcher.configure({ policy: { limits: { per_minute: 1 } } });
      expect((await launcher.firebreak(alarm(1))).exit).to.equal(0);
      const held = await launcher.json(alarm(2));
      expect(held.exit).to.equal(7);
      expect(held.answer.blocks[0]?.reason).to.include('policy.limits.per_minute');
      await launcher.firebreak(alarm(3));
      const { stdout } = await launcher.firebreak(['approve', held.answer.blocks[0]?.id ?? '']);
      expect(stdout).to.include('in force');
      expect((await launcher.firebreak(['reject', '--all'])).exit).to.equal(0);
      expect(await states('--state', 'all')).to.deep.equal(['active', 'active', 'refused']);
      expect(rulesInFile()).to.equal(2);
    });

    it('are tried again by retry when the firewall is back', async () => {
      await edge.goAway();
      const { exit, answer } = await launcher.json(alarm(22));
      expect({ exit, state: answer.state }).to.deep.equal({ exit: 4, state: 'pending' });
      await edge.comeBack();
      expect((await launcher.firebreak(['retry', '--all'])).stdout).to.include('in force');
    });

    it('are not tried before their time, and then by any other alarm’s launcher', async () => {
      await edge.goAway();
      await launcher.firebreak(alarm(1));
      await edge.comeBack();
      expect((await launcher.firebreak(['drain'])).stdout).to.equal('nothing was due\n');
      await new Promise((resolve) => setTimeout(resolve, 5000));
      await launcher.firebreak(alarm(2));
      expect(await states()).to.deep.equal(['active', 'active']);
    });
  });

  describe('that cannot be written', () => {
    it('says so with exit 2, and the block is tried all the same', async () => {
      const file = path.join(launcher.folder, 'a-file');
      writeFileSync(file, '');
      launcher.configure({ state_dir: path.join(file, 'state') });
      const { exit, stdout, stderr } = await launcher.firebreak(alarm(22));
      expect(exit).to.equal(2);
      expect(stderr).to.match(/NOT recorded: .*the ledger cannot be written/);
      expect(stdout).to.include('in force');
      expect(await loadedPorts()).to.deep.equal(['ssh']);
    });

    it('because the disk is full, says so too', async function () {
      if (!canMount()) this.skip();
      const script =
        'mkdir -p "$1" && mount -t tmpfs -o size=16k,mode=700 full "$1" && { cat /dev/zero >"$1/filler" 2>/dev/null; shift; exec "$@"; }';
      const child = spawn(
        'unshare',
        [
          '--mount',
          '--propagation',
          'private',
          'sh',
          '-c',
          script,
          'sh',
          launcher.stateDir,
          process.execPath,
          program,
          ...alarm(22),
        ],
        {
          env: { ...process.env, FIREBREAK_CONFIG: launcher.configFile, HOME: launcher.home },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      const [exit] = (await once(child, 'close')) as [number];
      expect(exit).to.equal(2);
      expect(stderr).to.match(/NOT recorded: .*no space left on the disk/);
      expect(await loadedPorts()).to.deep.equal(['ssh']);
    });

    const damage = (): void => {
      for (const end of ['-wal', '-shm']) rmSync(path.join(launcher.stateDir, `ledger.db${end}`), { force: true });
      writeFileSync(path.join(launcher.stateDir, 'ledger.db'), 'x'.repeat(8192));
    };

    it('holds to the whole policy, and keeps the request until it can be kept', async () => {
      expect((await launcher.firebreak(alarm(22))).exit).to.equal(0); // the firewall has told its own addresses by now
      damage();
      const own = await launcher.firebreak(['block', '192.168.20.1', '192.168.1.10', '22']);
      expect(own.exit).to.equal(2);
      expect(own.stdout).to.match(/NOT blocked 192\.168\.20\.1 .*an address that firewall edge has/);
      const { exit, stdout, stderr } = await launcher.firebreak(alarm(443));
      expect(exit).to.equal(2);
      expect(stderr)
        .to.match(/NOT recorded: .*damaged/)
        .and.match(/the alarm is spooled/);
      expect(stdout).to.include('in force');
      rmSync(path.join(launcher.stateDir, 'ledger.db'));
      const drained = await Promise.all([0, 1, 2].map(() => launcher.firebreak(['drain'])));
      expect(drained.map(({ exit }) => exit)).to.deep.equal([0, 0, 0]);
      expect(drained.map(({ stderr }) => stderr).join('')).to.match(/is now recorded[^]*is now recorded/);
      const kept = await listed();
      expect(kept.map(({ port, state }) => `${port} ${state}`)).to.deep.equal(['443 active']);
      expect(kept[0]?.expires_at).to.be.a('string');
    });

    it('starts no run while all is frozen', async () => {
      await launcher.firebreak(['freeze', 'maintenance']);
      damage();
      const before = edge.readConfig();
      const { stdout } = await launcher.firebreak(alarm(22));
      expect(stdout).to.match(/NOT blocked .*not tried: all changes have been frozen since .*maintenance/);
      expect(edge.readConfig()).to.equal(before);
    });

    it('tries no more alarms in a minute than policy.limits allow, and holds the others once it is back', async () => {
      launcher.configure({ policy: { limits: { per_minute: 1 } } });
      await launcher.firebreak(['list']);
      damage();
      expect((await launcher.firebreak(alarm(22))).stdout).to.include('in force');
      expect((await launcher.firebreak(alarm(443))).stdout).to.match(/NOT blocked .*not tried: more than 1 alarms/);
      expect(await loadedPorts()).to.deep.equal(['ssh']);
      rmSync(path.join(launcher.stateDir, 'ledger.db'));
      await launcher.firebreak(['drain']);
      expect(await states()).to.deep.equal(['active', 'held']);
    });

    it('has one call at a time apply its block, and every request spooled', async () => {
      await launcher.firebreak(['list']);
      damage();
      edge.setFaults({ reloadStall: 5 });
      const first = launcher.start(alarm(22));
      await waitUntil('the first run reached the firewall', () => edge.readConfig().includes('203.0.113.7'));
      const { stdout, stderr } = await launcher.firebreak(alarm(443));
      expect(stdout).to.match(/NOT blocked .*not tried: another call is applying a block without the ledger/);
      expect(stderr).to.include('the alarm is spooled');
      expect((await first.ended).stdout).to.include('in force');
      edge.clearFaults();
      rmSync(path.join(launcher.stateDir, 'ledger.db'));
      await launcher.firebreak(['drain']);
      expect(await states()).to.deep.equal(['active', 'active']);
    });

    it('while it is busy, many callers start no run of their own', async () => {
      await launcher.firebreak(['list']);
      const many = process.env['FIREBREAK_LONG'] === '1' ? 200 : 12;
      const other = new DatabaseSync(path.join(launcher.stateDir, 'ledger.db'));
      other.exec('BEGIN IMMEDIATE');
      const calls = Array.from({ length: many }, (_, at) => launcher.firebreak(alarm(7001 + at, '--no-wait')));
      await sleep(3000); // some wait by now; whether all do makes no difference
      expect(rulesInFile()).to.equal(0);
      other.exec('ROLLBACK');
      other.close();
      const ended = await Promise.all(calls);
      expect(ended.filter(({ exit, stderr }) => exit !== 0 || stderr.includes('NOT recorded'))).to.deep.equal([]);
      await waitUntil('all in force', async () => (await states()).every((state) => state === 'active'));
      expect(rulesInFile()).to.equal(many);
      await waitUntil('every run ended', isQuiet);
    });

    it('because others write to it, keeps nothing and starts no run: exit 75, come again', async () => {
      await launcher.firebreak(['list']);
      launcher.configure({ dispatch: { patience: '1s' } });
      const other = new DatabaseSync(path.join(launcher.stateDir, 'ledger.db'));
      other.exec('BEGIN IMMEDIATE');
      const before = edge.readConfig();
      const { exit, answer } = await launcher.jsonError(alarm(22));
      other.exec('ROLLBACK');
      other.close();
      expect({ exit, code: answer.error.code }).to.deep.equal({ exit: 75, code: 'ledger_busy' });
      expect(edge.readConfig()).to.equal(before);
      expect(existsSync(path.join(launcher.stateDir, 'spool'))).to.equal(false);
      expect((await launcher.firebreak(alarm(22))).exit).to.equal(0);
    });

    it('because it is damaged, is left as it is', async () => {
      await launcher.firebreak(alarm(22));
      const file = path.join(launcher.stateDir, 'ledger.db');
      writeFileSync(file, 'x'.repeat(8192));
      const { exit, answer } = await launcher.jsonError(['list']);
      expect(exit).to.equal(2);
      expect(answer.error.code).to.equal('ledger_corrupt');
      expect(readFileSync(file, 'utf8')).to.equal('x'.repeat(8192));
    });
  });
});
