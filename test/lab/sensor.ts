import { execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { program, type Ended } from './launcher.js';

const run = promisify(execFile);

/** The script for the SIEM's host, as `firebreak sensor` prints it, with a syslog of its own. */
export interface Sensor {
  readonly script: string;
  readonly spool: string;
  /** Runs it the way OSSIM does: from /, with umask 0. */
  call(args: readonly string[], shell?: string): Promise<Ended>;
  /** What it told syslog, a line each. */
  syslog(): string[];
  /** Words of the alarms that wait, in their order. */
  waiting(): string[];
}

export interface SensorOptions {
  readonly folder: string;
  /** Options of `firebreak sensor`. */
  readonly options: readonly string[];
}

/** Makes the script in the folder, which must exist. Nothing but the path to `logger` is changed in it. */
export async function makeSensor({ folder, options }: SensorOptions): Promise<Sensor> {
  const tools = path.join(folder, 'tools');
  const spool = path.join(folder, 'spool');
  const script = path.join(folder, 'alarm');
  const log = path.join(folder, 'syslog');
  mkdirSync(tools);
  writeFileSync(path.join(tools, 'logger'), `#!/bin/sh\nexec cat >>'${log}'\n`);
  chmodSync(path.join(tools, 'logger'), 0o755);
  const args = [program, 'sensor', ...options, '--spool', spool, '--script', script];
  const { stdout } = await run(process.execPath, args);
  writeFileSync(script, stdout.replace('\nPATH=', `\nPATH=${tools}:`), { mode: 0o700 });

  const call: Sensor['call'] = async (words, shell = 'sh') => {
    const child = spawn('sh', ['-c', 'umask 0; exec "$@"', 'sh', shell, script, ...words], {
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '', TMPDIR: process.env['TMPDIR'] ?? '' },
    });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => (said[name] += text));
    }
    return new Promise((resolve, reject) => {
      child.once('error', reject).once('close', (exit) => resolve({ exit, ...said }));
    });
  };

  const waiting = (): string[] => {
    const queue = path.join(spool, 'queue');
    if (!existsSync(queue)) return [];
    return readdirSync(queue)
      .sort()
      .map((name) => readFileSync(path.join(queue, name), 'utf8').trimEnd());
  };
  const syslog = (): string[] => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').filter(Boolean) : []);
  return { script, spool, call, syslog, waiting };
}
