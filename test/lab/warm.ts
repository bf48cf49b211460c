import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildEnvironment } from '#firebreak/platforms/ansible/environment.js';
import { findWarmPlace, spawnRunner, startWarm } from '#firebreak/platforms/ansible/warm-runner.js';
import { sharedFolder } from './processes.js';
import { configSchema } from '#firebreak/config/schema.js';

/**
 * Whether runs go through a warm runner: each launcher of the lab begins with one, and the playbooks of this mocha
 * process share one. Otherwise each run starts ansible-playbook.
 */
export const isWarm = process.env['FIREBREAK_TEST_WARM'] === '1';

const shared = path.join(tmpdir(), sharedFolder);
/** The home folder of all its runs: they may not differ in it. */
export const sharedHome = path.join(shared, 'home');

/** Runs ansible-playbook through the runner that this mocha process shares. Gives its exit code. */
export async function runShared(
  args: readonly string[],
  env: Record<string, string>,
  folder: string,
): Promise<number | null> {
  mkdirSync(sharedHome, { recursive: true, mode: 0o700 });
  const place = findWarmPlace(shared, { idleMs: 300_000, command: 'ansible-playbook', path: env['PATH'] ?? '' });
  if (typeof place === 'string') throw new Error(place);
  const file = (name: string): string => path.join(folder, name);
  const options = {
    ...{ command: place.command, args, env: { ...env, FIREBREAK_RUN_ID: '1'.repeat(26) }, folder, runId: '' },
    ...{ stdoutFile: file('stdout'), stderrFile: file('stderr'), timeoutMs: 0, stop: new AbortController().signal },
  };
  for (let tries = 0; tries < 10; tries += 1) {
    const running = await startWarm(place, options);
    if (!('cold' in running)) {
      const code = await running.ended;
      return code === -1 ? null : code;
    }
    if (running.isGone && tries > 0 && !/no runner|ended/.test(running.cold)) throw new Error(running.cold);
    if (running.isGone) {
      spawnRunner(place, options.env);
      waitForSocket(place.folder);
    }
  }
  throw new Error('the shared runner does not answer');
}

/** Starts the warm runner of this state folder, and returns when it is ready. */
export function startWarmRunner(stateDir: string): void {
  mkdirSync(stateDir, { mode: 0o700 });
  const { ansible, firewalls } = configSchema.parse({ firewalls: { edge: { host: '127.0.0.1' } } });
  const file = (name: string): string => path.join(stateDir, name);
  const workspace = { folder: stateDir, controlFolder: stateDir, file, write: file, close: () => undefined };
  const env = buildEnvironment({ runId: '', workspace, firewall: firewalls['edge']! });
  const where = { idleMs: 300_000, command: ansible.playbook_command, path: env['PATH'] ?? '' };
  const place = findWarmPlace(stateDir, where);
  if (typeof place === 'string') throw new Error(place);
  spawnRunner(place, env);
  waitForSocket(place.folder);
}

function waitForSocket(folder: string): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 0; !existsSync(path.join(folder, 'socket')); tries += 1) {
    if (tries === 1200) throw new Error('the warm runner did not start');
    Atomics.wait(cell, 0, 0, 50);
  }
}
