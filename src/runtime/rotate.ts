import { closeSync, linkSync, openSync, readSync, readdirSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export interface RotateLimits {
  maxBytes: number;
  maxAgeMs: number;
  /** How many rotated files remain. */
  keep: number;
}

/**
 * Rotates a log file that is too large or too old, and deletes the oldest ones. Several processes write it and
 * may rotate it at the same time. The new name contains the inode number, so only one process can create it, and only
 * that one removes the old name; processes that have the file open still append to it.
 * @throws the system's own error
 */
export function rotate(file: string, limits: RotateLimits, nowMs: number): void {
  try {
    const { size, ino } = statSync(file, { bigint: true });
    if (isDue(file, { size: Number(size), nowMs }, limits) && putAside(file, ino)) deleteOldest(file, limits.keep);
  } catch (error) {
    // Another process is rotating the same file, or has done so; or the file does not exist yet.
    if (!(error instanceof Error && 'code' in error && (error.code === 'EEXIST' || error.code === 'ENOENT')))
      throw error;
  }
}

const isDue = (
  file: string,
  { size, nowMs }: { size: number; nowMs: number },
  { maxBytes, maxAgeMs }: RotateLimits,
): boolean => size > 0 && (size >= maxBytes || nowMs - findFirstTime(file, nowMs) >= maxAgeMs);

/** @returns false if another process was faster: the file that now has the name is the next one, and stays */
function putAside(file: string, ino: bigint): boolean {
  const aside = `${file}.${ino}`;
  linkSync(file, aside);
  const isSame = statSync(aside, { bigint: true }).ino === ino;
  unlinkSync(isSame ? file : aside);
  return isSame;
}

/** The timestamp of its first line; now if it has none. */
function findFirstTime(file: string, nowMs: number): number {
  const head = Buffer.alloc(4096);
  const descriptor = openSync(file, 'r');
  try {
    const length = readSync(descriptor, head, 0, head.length, 0);
    const [line = ''] = head.toString('utf8', 0, length).split('\n');
    const [time] = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z(?="\}?$| )/.exec(line) ?? [];
    return time === undefined ? nowMs : Date.parse(time);
  } finally {
    closeSync(descriptor);
  }
}

function deleteOldest(file: string, keep: number): void {
  const folder = dirname(file);
  const aside = readdirSync(folder)
    .filter((name) => name.startsWith(`${basename(file)}.`) && /\.\d+$/.test(name))
    .map((name) => join(folder, name))
    .map((path) => ({ path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((one, other) => other.at - one.at);
  for (const { path } of aside.slice(keep)) rmSync(path, { force: true });
}
