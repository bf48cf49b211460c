import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { buildEnvironment } from '#firebreak/platforms/ansible/environment.js';
import { findWarmPlace, spawnRunner } from '#firebreak/platforms/ansible/warm-runner.js';
import { configSchema } from '#firebreak/config/schema.js';

/** Whether `FIREBREAK_TEST_WARM=1` has each launcher begin with a warm runner; otherwise no launcher uses one. */
export const isWarm = process.env['FIREBREAK_TEST_WARM'] === '1';

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
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 0; !existsSync(file('warm/socket')); tries += 1) {
    if (tries === 1200) throw new Error('the warm runner did not start');
    Atomics.wait(cell, 0, 0, 50);
  }
}
