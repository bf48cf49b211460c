import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import {
  listTree,
  makeLauncher,
  program,
  readEvents,
  settingsOf,
  toDataUrl,
  waitUntil,
  type Answer,
  type Call,
  type Launcher,
} from '../lab/launcher.js';
import { findWithVariable } from '../lab/processes.js';
import { makeKey, startSshd, type Sshd } from '../lab/sshd.js';

const alarm = ['block', '203.0.113.7', '192.168.1.10', '22'];

/** Folders and files whose mode lets anybody but their owner in. */
function findOpenOnes(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' }).flatMap((entry) => {
    const file = path.join(entry.parentPath, entry.name);
    const mode = statSync(file).mode & 0o777;
    return mode === (entry.isDirectory() ? 0o700 : 0o600) ? [] : [`${mode.toString(8)} ${file}`];
  });
}

describe('firebreak block, when it has to end,', function () {
  this.timeout(180_000); // several runs each, on a machine that may be busy
  let edge: Firewall;
  let launcher: Launcher;
  let release: () => Promise<void>;
  let temporary: string[];

  beforeEach(async () => {
    temporary = readdirSync(tmpdir());
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge) });
    // Held, it stops each run at its edit: the tests step from there.
    release = await edge.holdLock();
  });

  afterEach(async () => {
    await release();
    launcher.remove();
    await edge.stop();
  });

  const waitForEdit = (): Promise<string> =>
    launcher.waitForEvent(({ event, task }) => event === 'task' && task?.includes('Insert the missing rules') === true);

  const hasRule = async (): Promise<boolean> => (await edge.loadedRules()).join().includes('from 203.0.113.7 to');

  /** No process, no socket, no temporary folder; the records are their owner's alone. */
  function expectNothingLeft(): void {
    const runs = launcher.runs();
    expect(runs).to.have.length(1);
    expect(findWithVariable('FIREBREAK_RUN_ID', path.basename(runs[0]!)), 'processes of the run').to.deep.equal([]);
    expect(findWithVariable('HOME', launcher.home), 'processes of the launcher').to.deep.equal([]);
    expect(existsSync(path.join(runs[0]!, 'tmp')), 'tmp in the run folder').to.equal(false);
    expect(listTree(path.join(launcher.stateDir, 'ssh')), 'control sockets').to.deep.equal([]);
    expect(listTree(launcher.home), 'in HOME').to.deep.equal([]);
    const known = [...temporary, path.basename(edge.root), path.basename(launcher.folder)];
    expect(
      readdirSync(tmpdir()).filter((name) => !known.includes(name)),
      'in TMPDIR',
    ).to.deep.equal([]);
    expect(findOpenOnes(launcher.stateDir)).to.deep.equal([]);
  }

  function answerOf(stdout: string): Answer {
    return JSON.parse(stdout) as Answer; // fails where it is not one document
  }

  it('because ansible.timeout passes, exits 6 and leaves nothing running', async () => {
    launcher.configure({ ansible: { timeout: '4s' } });
    const { exit, answer } = await launcher.json(alarm);
    expect(exit).to.equal(6);
    expect(answer).to.include({ exit: 6, state: 'pending' });
    expect(answer.blocks[0]?.reason).to.equal('the run took longer than ansible.timeout (4 s) and was ended');
    expectNothingLeft();
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`by ${signal}, ends the run gracefully and says so in one document`, async () => {
      const call = launcher.start([...alarm, '--json']);
      const run = await waitForEdit();
      call.child.kill(signal);
      const { exit, stdout } = await call.ended;
      const answer = answerOf(stdout);
      expect(answer.blocks[0]).to.include({ state: 'pending', reason: `the run was stopped by ${signal}` });
      expect(exit).to.equal(answer.exit).and.equal(6);
      expect(readEvents(run).at(0)?.event).to.equal('start');
      expectNothingLeft();
    });
  }

  /** Ansible that does not listen to SIGINT and SIGTERM. */
  function makeStubborn(): void {
    const file = path.join(launcher.folder, 'stubborn');
    writeFileSync(file, '#!/bin/sh\ntrap \'\' INT TERM\nexec ansible-playbook "$@"\n');
    chmodSync(file, 0o755);
    launcher.configure({ ansible: { playbook_command: file } });
  }

  it('ends by force what does not end gracefully', async () => {
    makeStubborn();
    const call = launcher.start([...alarm, '--json']);
    await waitForEdit();
    call.child.kill('SIGTERM');
    const { exit, stdout } = await call.ended;
    expect(exit).to.equal(6);
    expect(answerOf(stdout).blocks[0]?.reason).to.equal('the run was stopped by SIGTERM');
    expectNothingLeft();
  });

  it('ends at once by a second signal, and the run with it', async () => {
    makeStubborn();
    const call = launcher.start(alarm);
    await waitForEdit();
    call.child.kill('SIGINT');
    call.child.kill('SIGTERM');
    const { exit, stdout } = await call.ended;
    expect({ exit, stdout }).to.deep.equal({ exit: 130, stdout: '' });
    expectNothingLeft();
  });

  it('settles by the next call what was ended in the middle', async () => {
    const call = launcher.start(alarm);
    await waitForEdit();
    call.child.kill('SIGTERM');
    await call.ended;
    await release();
    const { exit, answer } = await launcher.json(alarm);
    expect(exit).to.equal(0);
    expect(answer.state).to.equal('active');
    expect(edge.readConfig().split('<address>203.0.113.7</address>')).to.have.length(2);
    expect(await hasRule()).to.equal(true);
  });

  /** The run goes on to its end once the lock is free, though nobody listens any more. */
  async function expectFinished(call: Call): Promise<void> {
    await release();
    const { exit } = await call.ended;
    expect(exit).to.equal(0);
    expect(await hasRule()).to.equal(true);
    expect(readEvents(launcher.runs()[0]!).at(-1)?.event).to.equal('stats');
    expectNothingLeft();
  }

  it('survives SIGHUP while most of it is still being loaded', async () => {
    const marker = path.join(launcher.folder, 'hung-up');
    const preload = `
      import { writeFileSync } from 'node:fs';
      import vm from 'node:vm';
      const { Script } = vm;
      vm.Script = class extends Script {
        constructor(text, options) {
          super(text, options);
          process.kill(process.pid, 'SIGHUP');
          writeFileSync(${JSON.stringify(marker)}, '');
        }
      };`;
    const { exit } = await launcher.firebreak(['list'], { env: { NODE_OPTIONS: `--import ${toDataUrl(preload)}` } });
    expect({ exit, hungUp: existsSync(marker) }).to.deep.equal({ exit: 0, hungUp: true });
  });

  it('finishes its run after SIGHUP', async () => {
    const call = launcher.start(alarm);
    await waitForEdit();
    call.child.kill('SIGHUP');
    await expectFinished(call);
  });

  it('finishes its run after stdout and stderr are closed', async () => {
    const call = launcher.start(alarm);
    await waitForEdit();
    call.child.stdout?.destroy();
    call.child.stderr?.destroy();
    await expectFinished(call);
  });

  describe('called over SSH, finishes its run when the caller goes away', () => {
    let sshd: Sshd;
    let folder: string;

    beforeEach(async () => {
      folder = path.join(launcher.folder, 'siem');
      mkdirSync(folder);
      sshd = await startSshd({ folder, authorizedKeys: [await makeKey(path.join(folder, 'key'))] });
    });

    afterEach(async () => {
      await sshd.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    for (const [title, options] of [
      ['without a terminal', []],
      ['with a terminal', ['-tt']],
    ] as const) {
      it(title, async () => {
        const variables = {
          PATH: process.env['PATH'],
          TMPDIR: tmpdir(),
          HOME: launcher.home,
          FIREBREAK_CONFIG: launcher.configFile,
        };
        const settings = Object.entries(variables).map(([name, value]) => `${name}='${value ?? ''}'`);
        const command = ['exec env', ...settings, process.execPath, program, ...alarm].join(' ');
        const login = ['-F', 'none', '-i', path.join(folder, 'key'), '-o', `UserKnownHostsFile=${sshd.knownHostsFile}`];
        const caller = spawn(
          'ssh',
          [...options, ...login, '-p', String(sshd.port), `${sshd.user}@${sshd.host}`, command],
          {
            stdio: ['ignore', 'ignore', 'ignore'],
          },
        );
        await waitForEdit();
        caller.kill('SIGKILL');
        await once(caller, 'exit');
        await release();
        await waitUntil('the launcher ends', () => findWithVariable('HOME', launcher.home).length === 0);
        expect(await hasRule()).to.equal(true);
        expect(readEvents(launcher.runs()[0]!).at(-1)?.event).to.equal('stats');
        expect(readFileSync(sshd.logFile, 'utf8')).to.not.equal('');
        expectNothingLeft();
        expect((await launcher.json(alarm)).answer.blocks[0]).to.include({ state: 'active', changed: false });
      });
    }
  });
});
