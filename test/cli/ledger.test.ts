import { existsSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, waitUntil, type AnswerBlock, type Launcher } from '../lab/launcher.js';

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
});
