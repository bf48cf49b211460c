import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { runProcess, type ProcessResult, type ProcessOptions } from '#firebreak/platforms/ansible/process.js';
import { findProcesses, killAllSync, signal } from '#firebreak/platforms/ansible/processes.js';
import { openWorkspace, pruneRuns } from '#firebreak/platforms/ansible/workspace.js';

async function waitFor(what: string, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`It did not come about: ${what}`);
    await sleep(10);
  }
}

let folder: string;
let count = 0;

interface Scripted {
  readonly runId: string;
  readonly ended: Promise<ProcessResult>;
  readonly stop: AbortController;
  /** Waits until the script has made this file. */
  readonly step: (name: string) => Promise<void>;
  readonly stdout: () => string;
}

/** Runs a shell script as a run; its steps are files that it makes and waits for. */
function start(script: string, options: Partial<ProcessOptions> = {}): Scripted {
  const runId = `TEST-${process.pid}-${count}`;
  const stop = new AbortController();
  const file = (name: string): string => path.join(folder, name);
  const ended = runProcess({
    command: 'sh',
    args: ['-c', script],
    env: { PATH: process.env['PATH'] ?? '', FIREBREAK_RUN_ID: runId, TMPDIR: folder },
    folder,
    runId,
    stdoutFile: file('out'),
    stderrFile: file('err'),
    timeoutMs: 60_000,
    stop: stop.signal,
    graceMs: 200,
    ...options,
  });
  return {
    runId,
    ended,
    stop,
    step: (name) => waitFor(name, () => existsSync(file(name))),
    stdout: () => readFileSync(file('out'), 'utf8'),
  };
}

describe('a run of ansible-playbook:', () => {
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'process-'));
    count += 1;
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  describe('runProcess', () => {
    it('gives the exit code, with the output in files and nothing on stdin', async () => {
      const { ended, stdout } = start('cat; echo said; exit 7');
      expect(await ended).to.deep.equal({ kind: 'exited', code: 7 });
      expect(stdout()).to.equal('said\n');
    });

    it('hands over just the environment it is given', async () => {
      process.env['FIREBREAK_TEST_CANARY'] = 'canary';
      try {
        const { ended, stdout } = start('env');
        await ended;
        expect(stdout()).to.include('FIREBREAK_RUN_ID=').and.not.include('canary');
      } finally {
        delete process.env['FIREBREAK_TEST_CANARY'];
      }
    });

    it('tells a program that is not there from one that fails', async () => {
      expect(await start('', { command: 'no-such-program' }).ended).to.deep.equal({
        kind: 'missing',
        command: 'no-such-program',
      });
    });

    it('runs nothing where it was stopped before', async () => {
      const stopped = AbortSignal.abort('SIGTERM');
      const { ended } = start('touch ran', { stop: stopped });
      expect(await ended).to.deep.equal({ kind: 'interrupted', signal: 'SIGTERM' });
      expect(existsSync(path.join(folder, 'ran'))).to.equal(false);
    });

    it('ends the group by SIGINT first, and lets it tidy up', async () => {
      const run = start("trap 'echo tidied; exit 0' INT; touch ready; while :; do sleep 0.05; done", {
        graceMs: 10_000,
      });
      await run.step('ready');
      run.stop.abort('SIGINT');
      expect(await run.ended).to.deep.equal({ kind: 'interrupted', signal: 'SIGINT' });
      expect(run.stdout()).to.equal('tidied\n');
    });

    it('ends by force what does not listen, after the grace', async () => {
      const run = start("trap '' INT TERM; touch ready; while :; do sleep 0.05; done");
      await run.step('ready');
      run.stop.abort('SIGTERM');
      expect(await run.ended).to.deep.equal({ kind: 'interrupted', signal: 'SIGTERM' });
      expect(findProcesses(run.runId)).to.deep.equal([]);
    });

    it('ends at its time limit', async () => {
      const run = start('sleep 600', { timeoutMs: 100 });
      expect(await run.ended).to.deep.equal({ kind: 'timeout', ms: 100 });
      expect(findProcesses(run.runId)).to.deep.equal([]);
    });

    it('keeps the first cause: a stop after the time limit changes nothing', async () => {
      const run = start("trap 'touch limit' INT; while :; do sleep 0.05; done", { timeoutMs: 300, graceMs: 1000 });
      await run.step('limit');
      run.stop.abort('SIGTERM');
      expect((await run.ended).kind).to.equal('timeout');
    });

    it('sweeps what left the group, even where the program itself ended well', async () => {
      const run = start(
        'setsid sh -c "touch away; exec sleep 600" >/dev/null 2>&1 & while ! [ -e away ]; do sleep 0.02; done',
      );
      expect(await run.ended).to.deep.equal({ kind: 'exited', code: 0 });
      expect(findProcesses(run.runId)).to.deep.equal([]);
    });

    it('is not held up by a grandchild that keeps stdout open', async () => {
      const run = start('sleep 600 & echo said');
      expect(await run.ended).to.deep.equal({ kind: 'exited', code: 0 });
      expect(run.stdout()).to.equal('said\n');
      expect(findProcesses(run.runId)).to.deep.equal([]);
    });

    it('leaves no listener on the process', async () => {
      const before = process.listenerCount('exit');
      await start('true').ended;
      expect(process.listenerCount('exit')).to.equal(before);
    });
  });

  describe('killAllSync', () => {
    it('ends all of a run at once, whatever it ignores and wherever it went', async () => {
      const run = start("trap '' INT TERM; setsid sleep 600 & touch ready; wait");
      await run.step('ready');
      await waitFor('both run', () => findProcesses(run.runId).length >= 2);
      killAllSync(run.runId);
      expect(findProcesses(run.runId)).to.deep.equal([]);
      expect((await run.ended).kind).to.equal('exited');
    });
  });

  describe('signal', () => {
    it('takes a process that has gone for no error', async () => {
      const run = start('echo $$');
      await run.ended;
      expect(() => signal(Number(run.stdout()), 'SIGTERM')).to.not.throw();
    });
  });

  describe('openWorkspace', () => {
    it('gives a folder of its own, files and all for the owner alone, and keeps the record', () => {
      const workspace = openWorkspace('01RUN', folder);
      const file = workspace.write('inventory.yml', 'text');
      expect(statSync(workspace.folder).mode & 0o777).to.equal(0o700);
      expect(statSync(file).mode & 0o777).to.equal(0o600);
      expect(() => workspace.write('inventory.yml', 'again')).to.throw(/EEXIST/);
      expect(Buffer.byteLength(workspace.controlFolder)).to.be.at.most(47);
      workspace.close();
      workspace.close();
      expect(readFileSync(file, 'utf8')).to.equal('text');
      expect(existsSync(workspace.controlFolder)).to.equal(false);
      expect(existsSync(workspace.file('tmp'))).to.equal(false);
    });

    it('keeps the path of a control socket short, however long the state folder’s is', () => {
      const workspace = openWorkspace('01RUN', path.join(folder, 'x'.repeat(100)));
      expect(Buffer.byteLength(workspace.controlFolder)).to.be.at.most(47);
      workspace.close();
      expect(existsSync(workspace.controlFolder)).to.equal(false);
    });

    it('leaves nothing of a dry run', () => {
      const workspace = openWorkspace('01RUN', undefined);
      workspace.write('inventory.yml', 'text');
      workspace.close();
      expect(existsSync(workspace.folder)).to.equal(false);
    });
  });

  describe('pruneRuns', () => {
    it('keeps those that it is told, whatever their names say of their age', () => {
      for (const id of ['01A', '01B', '01C']) openWorkspace(id, folder).close();
      pruneRuns(folder, ['01A', '01C', '01D']);
      expect(['01A', '01B', '01C'].map((id) => existsSync(path.join(folder, 'runs', id)))).to.deep.equal([
        true,
        false,
        true,
      ]);
    });

    it('is no trouble where there is nothing to remove, or it may not be', () => {
      pruneRuns(path.join(folder, 'nowhere'), []);
      writeFileSync(path.join(folder, 'runs'), 'a file');
      pruneRuns(folder, []);
    });
  });
});
