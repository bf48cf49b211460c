import { execFile } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';

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
