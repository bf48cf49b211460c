import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ok, warn, type Check } from '../core/check.js';

const wanted = 'etc/systemd/system/timers.target.wants';
const cronPlaces = ['etc/crontab', 'etc/cron.d', 'var/spool/cron', 'var/spool/cron/crontabs'];

/** Something must run `firebreak expire`, or blocks outlive their time until the next alarm. */
export function checkTimers(root = '/'): Check {
  const [expires, drains] = ['expire', 'drain'].map((name) => isWanted(root, `firebreak-${name}.timer`));
  if (expires === true) return ok('timer', `systemd runs firebreak expire${drains === true ? ' and drain' : ''}`);
  const place = cronPlaces.flatMap((name) => filesOf(join(root, name))).find(mentionsExpire);
  if (place !== undefined) return ok('timer', `${place} runs firebreak expire`);
  return warn(
    'timer',
    'nothing runs firebreak expire: blocks end late, and failed ones wait for the next alarm',
    'firebreak install --systemd, or see docs/operations.md, "Run it each minute"',
  );
}

/** A link whose target is gone starts nothing. */
function isWanted(root: string, timer: string): boolean {
  const link = join(root, wanted, timer);
  try {
    return existsSync(join(root, resolve('/', wanted, readlinkSync(link))));
  } catch {
    return existsSync(link); // no link, or not there
  }
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
