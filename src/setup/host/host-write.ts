import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { describeError } from '../../core/describe.js';
import { FirebreakError } from '../../core/errors.js';
import { readAccounts } from '../../runtime/account.js';
import type { InstallPlan, UninstallPlan } from './host-plan.js';

/**
 * Carries an install out. What is there as it should be stays, so that it can be called again after a failure.
 * @returns what a person has to see to
 * @throws FirebreakError usage, saying what could not be done
 */
export async function applyInstall(plan: InstallPlan): Promise<string[]> {
  const { root } = plan;
  return told(async () => {
    for (const { path, mode, text, state } of plan.files) {
      if (state === 'same') continue;
      makeFolder(dirname(join(root, path)));
      writeFileSync(join(root, path), text);
      chmodSync(join(root, path), mode); // whatever the umask
    }
    for (const command of plan.accounts) await call(command);
    const remarks = makeOwnFolders(plan);
    for (const { path, from, account, group } of plan.gives)
      giveAll(join(root, path), idsOf(root, from), { uid: idsOf(root, account).uid, gid: idsOf(root, group).gid });
    if (plan.keys !== null) copyKeys(join(root, plan.keys.from), join(root, plan.keys.to));
    for (const path of plan.former) rmSync(join(root, path));
    for (const { path, target } of plan.links) {
      makeFolder(dirname(join(root, path)));
      rmSync(join(root, path), { force: true });
      symlinkSync(target, join(root, path));
    }
    for (const command of plan.commands) await call(command);
    return remarks;
  });
}

/** Takes out what the plan names, and nothing else. @throws FirebreakError usage, as above */
export async function applyUninstall(plan: UninstallPlan): Promise<void> {
  const { root } = plan;
  await told(async () => {
    for (const command of plan.before) await call(command);
    for (const path of [...plan.links, ...plan.files]) rmSync(join(root, path));
    const left = plan.leftBehind.map(({ path, from }) => ({ folder: join(root, path), ids: idsOf(root, from) }));
    for (const command of plan.removeAccounts) await call(command);
    if (plan.removeAccounts.length > 0) for (const { folder, ids } of left) giveAll(folder, ids, { uid: 0, gid: 0 });
    for (const command of plan.commands) await call(command);
  });
}

interface Ids {
  uid: number;
  gid: number;
}

/** Null is root, and so is an account of a host that is only laid out, by who may not make one there. */
function idsOf(root: string, account: string | null): Ids {
  const found = account === null ? undefined : readAccounts(root).find(({ name }) => name === account);
  return { uid: found?.uid ?? 0, gid: found?.gid ?? 0 };
}

/** Folders that are missing. One that is there stays as it is; where another's is in the way, that is told. */
function makeOwnFolders({ root, folders, gives, user }: InstallPlan): string[] {
  return folders.flatMap(({ path, account, group, mode }) => {
    const folder = join(root, path);
    const wanted = { uid: idsOf(root, account).uid, gid: idsOf(root, group).gid };
    if (existsSync(folder)) {
      const { uid } = statSync(folder);
      const isGiven = gives.some((give) => give.path === path) && uid === idsOf(root, user).uid;
      const isOther = uid !== wanted.uid && !isGiven && (account !== null || uid !== 0);
      const name = account ?? 'root';
      return isOther ? [`${path} belongs to user ${uid}, not to ${name}: chown -R ${name}: ${path}`] : [];
    }
    makeFolder(dirname(folder));
    mkdirSync(folder);
    chmodSync(folder, mode);
    giveTo(folder, wanted);
    return [];
  });
}

/** What belongs to `from`, or to his group, goes to `to`, and nothing else; what only the first could read the second's group can. */
function giveAll(folder: string, from: Ids, to: Ids): void {
  if (from.uid === 0 || !existsSync(folder)) return;
  for (const path of [
    folder,
    ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  ]) {
    const status = lstatSync(path);
    if (status.uid !== from.uid && status.gid !== from.gid) continue;
    lchownSync(path, status.uid === from.uid ? to.uid : status.uid, to.gid);
    if (to.uid !== 0 || to.gid === 0 || status.isSymbolicLink()) continue;
    chmodSync(path, (status.mode & 0o7777) | (status.isDirectory() ? 0o050 : 0o040));
  }
}

function copyKeys(from: string, to: string): void {
  copyFileSync(from, to);
  chmodSync(to, 0o644); // sshd reads it as the account
  giveTo(to, { uid: 0, gid: 0 });
}

function giveTo(path: string, { uid, gid }: Ids): void {
  if (process.geteuid?.() === 0) chownSync(path, uid, gid); // who lays a host out in a folder need not be root
}

/** A folder that all may read, as those of the system are. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
  chmodSync(folder, 0o755);
}

async function call([program = '', ...args]: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await execa(program, args, { reject: false, stdin: 'ignore' });
  if (exitCode === 0) return;
  const why = exitCode === undefined ? 'no such program' : stderr.trim().split('\n').at(-1);
  throw new FirebreakError('usage', `${[program, ...args].join(' ')}: ${why}; mend it, and call this again`);
}

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FirebreakError) throw error;
    throw new FirebreakError('usage', `not finished: ${describeError(error)}; mend it, and call this again`, {
      cause: error,
    });
  }
}
