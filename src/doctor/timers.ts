import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { note, ok, type Check } from './check.js';

const enabled = 'etc/systemd/system/timers.target.wants/firebreak-expire.timer';
const cronPlaces = ['etc/crontab', 'etc/cron.d', 'var/spool/cron', 'var/spool/cron/crontabs'];

/** Something must run `firebreak expire`, or blocks outlive their time until the next alarm. */
export function checkTimers(root = '/'): Check {
  if (existsSync(join(root, enabled))) return ok('timer', 'systemd runs firebreak expire');
  const place = cronPlaces.flatMap((name) => filesOf(join(root, name))).find(mentionsExpire);
  if (place !== undefined) return ok('timer', `${place} runs firebreak expire`);
  return note(
    'timer',
    'nothing runs firebreak expire: blocks end late, and failed ones wait for the next alarm',
    'see docs/operations.md, "Run it each minute"',
  );
}

function filesOf(place: string): string[] {
  try {
    return readdirSync(place).map((name) => join(place, name));
  } catch {
    return [place]; // a file, or nothing: reading it tells
  }
}

function mentionsExpire(file: string): boolean {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .some((line) => !line.trim().startsWith('#') && /firebreak\b.*\bexpire\b/.test(line));
  } catch {
    return false; // not there, a folder, or another account's: it cannot be told
  }
}
