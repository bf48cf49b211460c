import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import type { Config } from '../config/schema.js';
import { describeError } from '../core/describe.js';
import { FirebreakError } from '../core/errors.js';
import { formatLocal } from '../core/local-time.js';
import { checkIntegrity } from '../ledger/sqlite/integrity.js';
import { fail, ok, skipped, warn, type Check } from '../core/check.js';
import { lostLinesFile, readLostLines } from '../runtime/lost-lines.js';
import { count } from '../views/count.js';

/** Enough for a few runs and the ledger's journal. */
const leastFree = 64 * 1024 * 1024;

/** The state folder must belong to this account: the one that applies alarms could not write another's files. */
export function checkStateFolder(folder: string, uid = process.getuid?.() ?? 0): Check {
  const name = 'state_dir';
  const nearest = findNearest(folder);
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK);
  } catch (error) {
    return fail(name, `${nearest}: ${describeError(error)}`, howToCreate(folder));
  }
  const { uid: owner, mode } = statSync(nearest);
  if (!statSync(nearest).isDirectory()) return fail(name, `${nearest} is not a folder`, 'set another state_dir');
  if (nearest !== folder) return ok(name, `${folder} does not exist yet; the first alarm creates it`);
  if (owner !== uid) {
    return fail(
      name,
      `${folder} belongs to user ${owner}, but you are user ${uid}`,
      `run firebreak as its owner: sudo -u '#${owner}' firebreak doctor`,
    );
  }
  return (mode & 0o077) === 0
    ? ok(name, `${folder}, accessible to its owner only`)
    : fail(name, `others can access ${folder} (mode ${octal(mode)})`, `chmod 700 ${folder}`);
}

/** Whose the configuration is, and who else may read it. */
export function describeOwner(file: string): string {
  const { uid, gid, mode } = statSync(file);
  return `user ${uid}, group ${gid}, mode ${octal(mode)}`;
}

/** @param least bytes that must be free */
export function checkDisk(folder: string, least = leastFree): Check {
  const nearest = findNearest(folder);
  const { bavail, bsize, files, ffree } = statfsSync(nearest);
  const free = bavail * bsize;
  const megabytes = `${Math.floor(free / 1024 / 1024).toLocaleString('en')} MB free below ${nearest}`;
  if (free < least)
    return fail('disk', `only ${megabytes}`, 'free some space: each alarm is recorded before it is applied');
  if (files > 0 && ffree < 1000) return fail('disk', `only ${ffree} inodes free below ${nearest}`, 'delete files');
  return ok('disk', megabytes);
}

/** Warns of lines of the log that were lost. Empty if there is no log. */
export function checkLog({ log: { file }, state_dir: stateDir }: Pick<Config, 'log' | 'state_dir'>): Check[] {
  if (file === undefined) return [];
  const name = 'log';
  const record = lostLinesFile(stateDir);
  const lost = readLostLines(record);
  if (lost === undefined) return [ok(name, file)];
  const since = formatLocal(lost.sinceMs);
  return [
    warn(
      name,
      `${count(lost.count, 'line')} of ${file} ${lost.count === 1 ? 'was' : 'were'} lost since ${since}`,
      `make room for the file, or let this account write it; then delete ${record}`,
    ),
  ];
}

/** Checks the whole ledger; creates none if there is none yet. */
export async function checkLedger(stateDir: string): Promise<Check> {
  const name = 'ledger';
  const file = join(stateDir, 'ledger.db');
  if (!existsSync(file)) return ok(name, 'does not exist yet; the first alarm creates it');
  try {
    const damage = await checkIntegrity(file);
    if (damage.length === 0) return ok(name, `${file} is sound`);
    return fail(name, `${file} is damaged: ${damage.join('; ')}`, howToReplace);
  } catch (error) {
    if (!(error instanceof FirebreakError)) throw error;
    return fail(name, error.message, error.code === 'ledger_corrupt' ? howToReplace : null);
  }
}

export const skipLedger = (): Check => skipped('ledger', 'needs state_dir');

const howToReplace =
  'move it away together with its -wal and -shm files; restore a backup, or start with an empty ledger and run firebreak reconcile --fix';

const howToCreate = (folder: string): string => {
  const { username } = userInfo();
  return `sudo install -d -o ${username} -m 700 ${folder}`;
};

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');

function findNearest(folder: string): string {
  for (let nearest = folder; ; nearest = dirname(nearest)) {
    if (existsSync(nearest) || nearest === dirname(nearest)) return nearest;
  }
}
