import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * How many lines of the log were lost, for doctor: a file that starts with the time of the first loss and has one dot for
 * each line. Any number of processes append to it, and it grows on a disk that has no room for another block.
 */
export const lostLinesFile = (stateDir: string): string => join(stateDir, 'log-lines-lost');

export interface LostLines {
  count: number;
  sinceMs: number;
}

/** @returns false if they could not be recorded */
export function recordLostLines(file: string, count: number): boolean {
  try {
    writeOnce(file, `${new Date().toISOString().slice(0, 19)}Z\n`);
    appendFileSync(file, '.'.repeat(count));
    return true;
  } catch {
    return false; // the state folder is on the same disk, or does not exist yet
  }
}

function writeOnce(file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/** @returns undefined if none were lost since the file was deleted */
export function readLostLines(file: string): LostLines | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    const time = /\d{4}-\d\d-\d\dT[\d:]{8}Z/.exec(text)?.[0] ?? '';
    return { count: text.split('.').length - 1, sinceMs: Date.parse(time) };
  } catch {
    return undefined;
  }
}
