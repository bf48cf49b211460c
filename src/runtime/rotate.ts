import { closeSync, linkSync, openSync, readSync, readdirSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export interface RotateLimits {
  maxBytes: number;
  maxAgeMs: number;
  /** How many files that were put aside are kept. */
  keep: number;
}

/**
 * Puts a log file aside that is too large or too old, and forgets the oldest of those. Several processes write it and
 * may come here at the same time. The name is the file's own number, so that only one of them can make it, and that
 * one alone takes the old name away; who has the file open still writes to its end.
 * @throws the system's own error
 */
export function rotate(file: string, limits: RotateLimits, nowMs: number): void {
  try {
    const { size, ino } = statSync(file, { bigint: true });
    if (isDue(file, { size: Number(size), nowMs }, limits) && putAside(file, ino)) forgetOldest(file, limits.keep);
  } catch (error) {
    // Another process is putting the same file aside, or has; or there is none yet.
    if (!(error instanceof Error && 'code' in error && (error.code === 'EEXIST' || error.code === 'ENOENT')))
      throw error;
  }
}

const isDue = (
  file: string,
  { size, nowMs }: { size: number; nowMs: number },
  { maxBytes, maxAgeMs }: RotateLimits,
): boolean => size > 0 && (size >= maxBytes || nowMs - findFirstTime(file, nowMs) >= maxAgeMs);

/** @returns false where another was faster: the file that has the name by now is the next one, and stays */
function putAside(file: string, ino: bigint): boolean {
  const aside = `${file}.${ino}`;
  linkSync(file, aside);
  const isSame = statSync(aside, { bigint: true }).ino === ino;
  unlinkSync(isSame ? file : aside);
  return isSame;
}

/** When its first line was written, by what it says; now where it says nothing. */
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

function forgetOldest(file: string, keep: number): void {
  const folder = dirname(file);
  const aside = readdirSync(folder)
    .filter((name) => name.startsWith(`${basename(file)}.`) && /\.\d+$/.test(name))
    .map((name) => join(folder, name))
    .map((path) => ({ path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((one, other) => other.at - one.at);
  for (const { path } of aside.slice(keep)) rmSync(path, { force: true });
}
