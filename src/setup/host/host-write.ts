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
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { describeError } from '../../core/describe.js';
import { FirebreakError } from '../../core/errors.js';
import { readAccounts } from '../../runtime/account.js';
import type { InstallPlan, UninstallPlan } from './host-plan.js';

/**
 * Executes the plan of an install. Idempotent, so that it can be repeated after a failure.
 * @returns what the operator has to do
 * @throws FirebreakError usage, with the step that failed
 */
export async function applyInstall(plan: InstallPlan): Promise<string[]> {
  const { root } = plan;
  return asUsageError(async () => {
    for (const { path, mode, text, state } of plan.files) {
      if (state === 'same') continue;
      makeFolder(dirname(join(root, path)));
      writeFileSync(join(root, path), text);
      chmodSync(join(root, path), mode); // whatever the umask
    }
    for (const command of plan.accounts) await run(command);
    const remarks = makeOwnFolders(plan);
    for (const { path, from, account, group } of plan.gives)
      giveAll(join(root, path), idsOf(root, from), { uid: idsOf(root, account).uid, gid: idsOf(root, group).gid });
    for (const { path, account, group } of plan.returns)
      giveAll(join(root, path), { uid: 0, gid: 0 }, { uid: idsOf(root, account).uid, gid: idsOf(root, group).gid });
    if (plan.keys !== null) copyKeys(join(root, plan.keys.from), join(root, plan.keys.to));
    for (const path of plan.former) rmSync(join(root, path));
    for (const { path, target } of plan.links) {
      makeFolder(dirname(join(root, path)));
      rmSync(join(root, path), { force: true });
      symlinkSync(target, join(root, path));
    }
    for (const command of plan.commands) await run(command);
    return remarks;
  });
}

/** Executes the plan of an uninstall. @throws FirebreakError usage, as above */
export async function applyUninstall(plan: UninstallPlan): Promise<void> {
  const { root } = plan;
  await asUsageError(async () => {
    for (const command of plan.before) await run(command);
    for (const path of [...plan.links, ...plan.files]) rmSync(join(root, path));
    const left = plan.leftBehind.map(({ path, from }) => ({ folder: join(root, path), ids: idsOf(root, from) }));
    if (plan.removeAccounts.length > 0) for (const { folder } of left) endWarmRunner(folder);
    for (const command of plan.removeAccounts) await untilItWorks(() => run(command));
    if (plan.removeAccounts.length > 0) for (const { folder, ids } of left) giveAll(folder, ids, { uid: 0, gid: 0 });
    for (const command of plan.commands) await run(command);
  });
}

/** The process that keeps Ansible loaded ends within five seconds once its socket is gone. */
const endWarmRunner = (stateDir: string): void => rmSync(join(stateDir, 'warm'), { recursive: true, force: true });

/** An account with a process cannot be removed. @throws what the last of the attempts threw */
async function untilItWorks(work: () => Promise<unknown>, attempts = 15): Promise<void> {
  for (let left = attempts - 1; ; left -= 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (left === 0) throw error;
      await sleep(1000);
    }
  }
}

interface Ids {
  uid: number;
  gid: number;
}

/** Null is root. So is an account that does not exist because the host is prepared without the right to create one. */
function idsOf(root: string, account: string | null): Ids {
  const found = account === null ? undefined : readAccounts(root).find(({ name }) => name === account);
  return { uid: found?.uid ?? 0, gid: found?.gid ?? 0 };
}

/** Creates missing folders. An existing one is not changed; returns a remark if it belongs to another account. */
function makeOwnFolders({ root, folders, gives, returns, user }: InstallPlan): string[] {
  return folders.flatMap(({ path, account, group, mode }) => {
    const folder = join(root, path);
    const owner = { uid: idsOf(root, account).uid, gid: idsOf(root, group).gid };
    if (existsSync(folder)) {
      const { uid } = statSync(folder);
      const isGiven = gives.some((give) => give.path === path) && uid === idsOf(root, user).uid;
      const isReturned = returns.some((each) => each.path === path);
      const isOther = uid !== owner.uid && !isGiven && !isReturned && (account !== null || uid !== 0);
      const name = account ?? 'root';
      return isOther ? [`${path} belongs to user ${uid}, not to ${name}: run chown -R ${name}: ${path}`] : [];
    }
    makeFolder(dirname(folder));
    mkdirSync(folder);
    chmodSync(folder, mode);
    giveTo(folder, owner);
    return [];
  });
}

/** Gives the files of `from` and its group to `to`. What belongs to root and another group stays. If root is the new owner, the new group can read them. */
function giveAll(folder: string, from: Ids, to: Ids): void {
  if ((from.uid === 0 && to.uid === 0 && to.gid === 0) || !existsSync(folder)) return;
  for (const path of [
    folder,
    ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  ]) {
    const status = lstatSync(path);
    const isTheirs =
      from.uid === 0 ? status.uid === 0 && status.gid === 0 : status.uid === from.uid || status.gid === from.gid;
    if (!isTheirs) continue;
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
  if (process.geteuid?.() === 0) chownSync(path, uid, gid); // a host can be prepared in a folder without root
}

/** Creates a folder that all users can read, like those of the system. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
  chmodSync(folder, 0o755);
}

async function run([program = '', ...args]: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await execa(program, args, { reject: false, stdin: 'ignore' });
  if (exitCode === 0) return;
  const why = exitCode === undefined ? 'no such program' : stderr.trim().split('\n').at(-1);
  throw new FirebreakError('usage', `${[program, ...args].join(' ')}: ${why}; fix it, and run this again`);
}

async function asUsageError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FirebreakError) throw error;
    throw new FirebreakError('usage', `not finished: ${describeError(error)}; fix it, and run this again`, {
      cause: error,
    });
  }
}
