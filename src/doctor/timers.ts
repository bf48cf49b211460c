import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ok, warn, type Check } from '../core/check.js';

const wantsFolder = 'etc/systemd/system/timers.target.wants';
const cronPlaces = ['etc/crontab', 'etc/cron.d', 'var/spool/cron', 'var/spool/cron/crontabs'];

/** Without a timer or cron job for `firebreak expire`, an expired block stays on the firewall until the next alarm. */
export function checkTimers(root = '/'): Check {
  const [expires, drains] = ['expire', 'drain'].map((name) => isEnabled(root, `firebreak-${name}.timer`));
  if (expires === true && !existsSync(join(root, 'run/systemd/system'))) {
    return warn(
      'timer',
      'systemd is not running here, so the timer for firebreak expire never fires',
      'run firebreak run in the foreground, as the main process of a container',
    );
  }
  if (expires === true) return ok('timer', `systemd runs firebreak expire${drains === true ? ' and drain' : ''}`);
  const place = cronPlaces.flatMap((name) => filesOf(join(root, name))).find(mentionsExpire);
  if (place !== undefined) return ok('timer', `${place} runs firebreak expire`);
  return warn(
    'timer',
    'nothing runs firebreak expire: blocks expire late, and failed ones wait for the next alarm',
    'run firebreak install --systemd, or firebreak run; see docs/operations.md, "Run it each minute"',
  );
}

/** A dangling link does not enable a timer. */
function isEnabled(root: string, timer: string): boolean {
  const link = join(root, wantsFolder, timer);
  try {
    return existsSync(join(root, resolve('/', wantsFolder, readlinkSync(link))));
  } catch {
    return existsSync(link); // not a link, or missing
  }
}

function filesOf(place: string): string[] {
  try {
    return readdirSync(place).map((name) => join(place, name));
  } catch {
    return [place]; // a file, or missing, which reading it handles
  }
}

function mentionsExpire(file: string): boolean {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .some((line) => !line.trim().startsWith('#') && /firebreak\b.*\bexpire\b/.test(line));
  } catch {
    return false; // missing, a folder, or not readable
  }
}
