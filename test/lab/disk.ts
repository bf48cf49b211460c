import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { program, waitForEnd, type Ended, type Launcher } from './launcher.js';

const run = promisify(execFile);

/** Writes a file that leaves no room on the disk it lies on. */
export function fillDisk(file: string): void {
  const filler = openSync(file, 'w');
  try {
    for (;;) writeSync(filler, Buffer.alloc(4096));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error; // fs throws nothing else
  } finally {
    closeSync(filler);
  }
}

export function freeDisk(file: string): void {
  rmSync(file, { force: true });
}

/** Remounts a disk that only the process `pid` and its children see. */
export async function remount(pid: number, folder: string, mode: 'ro' | 'rw'): Promise<void> {
  await run('nsenter', ['--mount', `--target=${pid}`, 'mount', '-o', `remount,${mode}`, folder]);
}

/**
 * Runs the built program where `prepare`, a shell script with the state folder as $1, has changed the mounts for it
 * alone. Takes `canMount()`.
 */
export async function runOnDisk(launcher: Launcher, prepare: string, args: readonly string[]): Promise<Ended> {
  const script = `set -e; ${prepare}; shift; exec "$@"`;
  const command = ['sh', '-c', script, 'sh', launcher.stateDir, process.execPath, program, ...args];
  const child = spawn('unshare', ['--mount', '--propagation', 'private', ...command], {
    env: { PATH: process.env['PATH'], FIREBREAK_CONFIG: launcher.configFile, HOME: launcher.home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return waitForEnd(child);
}

/** Mounts the state folder read-only. */
export const readOnly = 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"';

const onTmpfs = (options: string, use: string): string =>
  `cp -a "$1" "$1.copy"; mount -t tmpfs -o mode=700,${options} full "$1"; cp -a "$1.copy/." "$1"; rm -r "$1.copy"; ${use}`;

/** Puts the state folder on a small disk, and fills it. */
export const fullDisk = onTmpfs('size=2m', '(cat /dev/zero >"$1/filler" 2>/dev/null || true)');

/** The same with room, but for no further file. */
export const noInodes = onTmpfs(
  'size=8m,nr_inodes=60',
  '(i=0; while touch "$1/filler$i" 2>/dev/null; do i=$((i+1)); done)',
);
