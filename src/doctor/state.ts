import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { describeError } from '../core/describe.js';
import { FirebreakError } from '../core/errors.js';
import { checkIntegrity } from '../ledger/sqlite/integrity.js';
import { fail, ok, skipped, type Check } from '../core/check.js';

/** A folder that holds a few runs and the ledger's journal. */
const leastFree = 64 * 1024 * 1024;

/** The state folder must be this account's own: what another makes there, the alarms' account cannot write. */
export function checkStateFolder(folder: string, uid = process.getuid?.() ?? 0): Check {
  const name = 'state_dir';
  const nearest = findNearest(folder);
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK);
  } catch (error) {
    return fail(name, `${nearest}: ${describeError(error)}`, howToMake(folder));
  }
  const { uid: owner, mode } = statSync(nearest);
  if (!statSync(nearest).isDirectory()) return fail(name, `${nearest} is no folder`, 'name another state_dir');
  if (nearest !== folder) return ok(name, `${folder} is not there yet: the first alarm makes it`);
  if (owner !== uid) {
    return fail(
      name,
      `${folder} belongs to user ${owner}, and you are ${uid}`,
      `call firebreak as its owner: sudo -u '#${owner}' firebreak doctor`,
    );
  }
  return (mode & 0o077) === 0
    ? ok(name, `${folder}, for its owner alone`)
    : fail(name, `others may look into ${folder} (mode ${octal(mode)})`, `chmod 700 ${folder}`);
}

/** @param least bytes that must be free */
export function checkDisk(folder: string, least = leastFree): Check {
  const nearest = findNearest(folder);
  const { bavail, bsize, files, ffree } = statfsSync(nearest);
  const free = bavail * bsize;
  const megabytes = `${Math.floor(free / 1024 / 1024).toLocaleString('en')} MB free below ${nearest}`;
  if (free < least) return fail('disk', `only ${megabytes}`, 'make room: each alarm is written before it is acted on');
  if (files > 0 && ffree < 1000) return fail('disk', `only ${ffree} inodes free below ${nearest}`, 'delete files');
  return ok('disk', megabytes);
}

/** Reads the whole ledger; makes none where there is none yet. */
export async function checkLedger(stateDir: string): Promise<Check> {
  const name = 'ledger';
  const file = join(stateDir, 'ledger.db');
  if (!existsSync(file)) return ok(name, 'none yet: the first alarm makes it');
  try {
    const damage = await checkIntegrity(file);
    if (damage.length === 0) return ok(name, `${file} is sound`);
    return fail(name, `${file} is damaged: ${damage.join('; ')}`, howToReplace);
  } catch (error) {
    if (!(error instanceof FirebreakError)) throw error;
    return fail(name, error.message, error.code === 'ledger_corrupt' ? howToReplace : null);
  }
}

export const skipLedger = (): Check => skipped('ledger', 'state_dir comes first');

const howToReplace =
  'move it and its -wal and -shm files away, put a backup in its place or none, then: firebreak reconcile --fix';

const howToMake = (folder: string): string => {
  const { username } = userInfo();
  return `sudo install -d -o ${username} -m 700 ${folder}`;
};

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');

function findNearest(folder: string): string {
  for (let nearest = folder; ; nearest = dirname(nearest)) {
    if (existsSync(nearest) || nearest === dirname(nearest)) return nearest;
  }
}
