import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, readdirSync, realpathSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, waitUntil, type Launcher } from '../lab/launcher.js';
import { packageRoot } from '../lab/package-root.js';
import { findNaming, findWarmRunner, findWithVariable, signalAll } from '../lab/processes.js';

interface Settled {
  readonly message: string;
  readonly firewall?: string;
  readonly way?: string;
}

/** The ansible-playbook that runs start. */
function findAnsible(): string {
  const folders = (process.env['PATH'] ?? '').split(':');
  const file = folders.map((folder) => path.join(folder, 'ansible-playbook')).find((each) => existsSync(each));
  if (file === undefined) throw new Error('ansible-playbook is not on PATH');
  return realpathSync(file);
}

describe('the warm runner', function () {
  this.timeout(240_000);
  let edge: Firewall;
  let launcher: Launcher;
  let folder: string;
  let sources = 0;

  beforeEach(async () => {
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge) }, { ansible: { warm: '5m' } });
    folder = path.join(launcher.stateDir, 'warm');
    launcher.configure({ log: { file: path.join(launcher.folder, 'firebreak.log') } });
  });

  afterEach(async () => {
    launcher.remove();
    await edge.stop();
  });

  const findRunner = (): number | undefined => findWarmRunner(launcher.stateDir)[0];
  const isReady = (): boolean => existsSync(path.join(folder, 'socket'));
  const nextSource = (): string => `203.0.113.${(sources += 1)}`;
  const block = (source = nextSource()): string[] => ['block', source, '192.168.1.10', '22'];

  /** How the runs so far were run. */
  function ways(): string[] {
    const lines = readFileSync(path.join(launcher.folder, 'firebreak.log'), 'utf8').trimEnd().split('\n');
    const settled = lines.map((line) => JSON.parse(line) as Settled).filter(({ message }) => message === 'run settled');
    return settled.map(({ way = '' }) => way);
  }

  async function expectBlocks(): Promise<void> {
    const source = nextSource();
    const { exit, answer } = await launcher.json(block(source));
    expect({ exit, state: answer.state }).to.deep.equal({ exit: 0, state: 'active' });
    expect((await edge.loadedRules()).filter((rule) => rule.includes(`from ${source} to`))).to.have.length(1);
  }

  /** Blocks once, cold, and waits for the runner that this starts. */
  async function warmUp(): Promise<number> {
    await expectBlocks();
    await waitUntil('the runner is ready', isReady);
    return findRunner() ?? 0;
  }

  /** Blocks until a run was warm: a busy machine may keep the runner from answering in time. */
  const expectWarm = (): Promise<void> =>
    waitUntil('a run is warm', async () => {
      await expectBlocks();
      return ways().at(-1) === 'warm';
    });

  async function stepAtEdit(act: (run: string) => void | Promise<void>, args = block()): Promise<number | null> {
    const release = await edge.holdLock();
    try {
      const before = new Set(launcher.runs());
      const call = launcher.start([...args, '--json']);
      let run = '';
      await waitUntil('the run is at its edit', () => {
        run = launcher.runs().find((each) => !before.has(each)) ?? '';
        const file = path.join(run, 'events.jsonl');
        return run !== '' && existsSync(file) && readFileSync(file, 'utf8').includes('Insert the missing rules');
      });
      await act(run);
      await release();
      return (await call.ended).exit;
    } finally {
      await release();
    }
  }

  it('is started by the first run, takes the next ones, and is reached by its owner alone', async () => {
    const pid = await warmUp();
    await expectWarm();
    await expectWarm();
    expect(ways()[0]).to.equal('cold: no runner is there');
    expect(findRunner()).to.equal(pid);
    expect(statSync(folder).mode & 0o777).to.equal(0o700);
    expect(statSync(path.join(folder, 'socket')).mode & 0o777).to.equal(0o600);
    expect(readFileSync(path.join(folder, 'log'), 'utf8')).to.equal('');
    expect(readdirSync(path.join(folder, 'home/packages')).join()).to.match(/^[^,]*lineinfile[^,]*$/);
    const [rss = ''] = /^Pss: +\d+/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
    expect(Number(rss.split(' ').at(-1))).to.be.lessThan(80 * 1024);
  });

  it('serves dry runs, a failure and reconcile as ansible-playbook does', async () => {
    await warmUp();
    expect(await launcher.json([...block(), '--check'])).to.deep.include({ exit: 0 });
    expect(await launcher.firebreak(['reconcile'])).to.include({ exit: 0 });
    edge.setFaults({ refuse: 'every' });
    expect((await launcher.json(block())).exit).to.equal(5);
    edge.clearFaults();
  });

  it('is described by doctor, with the time of a dry run without it and with it', async () => {
    const describe = async (): Promise<string> => {
      const { stdout } = await launcher.firebreak(['doctor', '--json']);
      const { sections } = JSON.parse(stdout) as { sections: { checks: { name: string; fact: string }[] }[] };
      return sections.flatMap(({ checks }) => checks).find(({ name }) => name === 'warm runner')?.fact ?? '';
    };
    expect(await describe()).to.match(/^not running: a dry run took [\d.]+ s; the next run starts it$/);
    expect(findRunner(), 'doctor starts nothing').to.equal(undefined);
    await warmUp();
    await waitUntil('doctor used it', async () =>
      /^a dry run took [\d.]+ s without it, [\d.]+ s with it$/.test(await describe()),
    );
  });

  it('leaves the mark of the run on its process, and nothing of the run on itself', async () => {
    const pid = await warmUp();
    const exit = await stepAtEdit((run) => {
      const found = findWithVariable('FIREBREAK_RUN_ID', path.basename(run));
      expect(found.filter((each) => each !== pid).length).to.be.greaterThan(0);
      expect(found).to.not.include(pid);
    });
    expect(exit).to.equal(0);
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
    for (const run of launcher.runs()) expect(environment).to.not.include(path.basename(run));
  });

  it('may be killed: before a run, which is then cold, and during one, which goes on', async () => {
    const first = await warmUp();
    signalAll([first], 'SIGKILL');
    await waitUntil('it has ended', () => findRunner() === undefined);
    expect(isReady(), 'its socket is left').to.equal(true);
    await expectBlocks();
    await waitUntil('another one is ready', () => findRunner() !== undefined && isReady());
    await expectWarm();
    const reloads = edge.reloads();
    const exit = await stepAtEdit(() => signalAll([findRunner() ?? 0], 'SIGKILL'));
    expect(exit).to.equal(0);
    expect(edge.reloads()).to.equal(reloads + 1);
  });

  it('that does not answer costs a moment, and runs nothing when it wakes up', async () => {
    const pid = await warmUp();
    signalAll([pid], 'SIGSTOP');
    await expectBlocks();
    expect(ways()).to.deep.equal(['cold: no runner is there', 'cold: the runner does not answer']);
    const events = launcher.runs().map((run) => readFileSync(path.join(run, 'events.jsonl'), 'utf8'));
    const reloads = edge.reloads();
    signalAll([pid], 'SIGCONT');
    await waitUntil('it has heard what it missed', () => findNaming(`${folder}\0`).join() === String(pid));
    expect(edge.reloads()).to.equal(reloads);
    await expectWarm();
    launcher
      .runs()
      .slice(0, 2)
      .forEach((run, index) => expect(readFileSync(path.join(run, 'events.jsonl'), 'utf8')).to.equal(events[index]));
  });

  it('ends a run at its time limit, and then itself', async () => {
    const pid = await warmUp();
    await expectWarm();
    launcher.configure({ ansible: { warm: '5m', timeout: '4s' } });
    const release = await edge.holdLock();
    expect((await launcher.json(block())).exit).to.equal(6);
    await release();
    launcher.configure({ ansible: { warm: '5m' } });
    await waitUntil('it has ended', () => findRunner() === undefined);
    expect(await warmUp()).to.not.equal(pid);
  });

  it('passes no lock on from a run that was killed to the next ones', () => {
    const [python = ''] = /(?<=^#! *)\/\S+/.exec(readFileSync(findAnsible(), 'utf8')) ?? [];
    const script = [
      'import sys; sys.path.insert(0, sys.argv[1])',
      'import multiprocessing, warm_runner',
      'warm_runner.preload()',
      'held = multiprocessing.Lock(); held.acquire()',
      'locks = warm_runner.find_locks()',
      'for lock in locks: lock.acquire(False)',
      'warm_runner.renew(locks)',
      'ansible = sys.modules.get("ansible.executor.action_write_locks")', // newer versions have none
      'for lock in [held, *getattr(ansible, "action_write_locks", {}).values()]: assert lock.acquire(False)',
    ];
    const folder = path.join(packageRoot, 'playbooks/runner');
    execFileSync(python, ['-IB', '-c', script.join('\n'), folder], { stdio: 'pipe' });
  });

  it('ends a run for a signal, and stays', async () => {
    const pid = await warmUp();
    const stopped = await stepAtEdit(async (run) => {
      const processes = findWithVariable('HOME', launcher.home);
      signalAll(processes, 'SIGTERM');
      await waitUntil('the run has ended', () => findWithVariable('FIREBREAK_RUN_ID', path.basename(run)).length === 0);
    });
    expect(stopped).to.not.equal(0);
    expect(findRunner()).to.equal(pid);
    await expectWarm();
  });

  it('leaves a run whose launcher was killed to the next launcher', async () => {
    await warmUp();
    let orphan = '';
    await stepAtEdit((run) => {
      orphan = path.basename(run);
      signalAll(findWithVariable('HOME', launcher.home), 'SIGKILL');
    });
    await waitUntil('the lease has lapsed and the orphan is gone', async () => {
      await launcher.firebreak(['drain']);
      return findWithVariable('FIREBREAK_RUN_ID', orphan).length === 0;
    });
    await expectBlocks();
  });

  it('ends when Ansible changes, and is started anew from what is there then', async () => {
    const command = path.join(launcher.folder, 'ansible-playbook');
    copyFileSync(findAnsible(), command);
    const first = await warmUp();
    launcher.configure({ ansible: { warm: '5m', playbook_command: command } });
    await expectBlocks();
    expect(ways().at(-1)).to.match(/^cold: (another ansible-playbook|the runner does not answer)$/);
    await expectWarm();
    expect(findRunner()).to.not.equal(first);
    utimesSync(command, new Date(0), new Date(0));
    await expectBlocks();
    expect(ways().at(-1)).to.match(/^cold: (Ansible or the playbooks have changed|the runner does not answer)$/);
  });

  it('ends when it is idle, and with its socket', async () => {
    launcher.configure({ ansible: { warm: '3s' } });
    await warmUp();
    await waitUntil('it has ended', () => findRunner() === undefined);
    expect(readdirSync(folder).sort()).to.deep.equal(
      ['lock', 'log'].concat(existsSync(path.join(folder, 'home')) ? ['home'] : []).sort(),
    );
  });

  it('takes runs on two firewalls at once', async () => {
    const depot = await startFirewall();
    try {
      launcher.configure({ firewalls: { edge: settingsOf(edge), depot: settingsOf(depot) } });
      await warmUp();
      await waitUntil('both are warm in one call', async () => {
        await expectBlocks();
        return ways().slice(-2).join() === 'warm,warm';
      });
    } finally {
      await depot.stop();
    }
  });

  it('is never started where ansible.warm is 0, or where ansible-playbook is another program', async () => {
    launcher.configure({ ansible: { warm: 0 } });
    await expectBlocks();
    const wrapper = path.join(launcher.folder, 'wrapper');
    copyFileSync('/bin/sh', wrapper);
    launcher.configure({ ansible: { warm: '5m', playbook_command: wrapper } });
    expect((await launcher.json(block())).exit).to.equal(5);
    expect(ways()).to.deep.equal(['cold: ansible.warm is 0', `cold: ${wrapper} is not a Python program`]);
    expect(existsSync(folder)).to.equal(false);
  });
});
