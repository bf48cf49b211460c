import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { describeError } from '../core/describe.js';
import { FirebreakError } from '../core/errors.js';
import { readAccounts } from './account.js';
import type { InstallPlan, UninstallPlan } from './host-plan.js';

/**
 * Carries an install out. What is there as it should be stays, so that it can be called again after a failure.
 * @returns what a person has to see to
 * @throws FirebreakError usage, saying what could not be done
 */
export async function carryInstall(plan: InstallPlan): Promise<string[]> {
  const { root } = plan;
  return told(async () => {
    for (const { path, mode, text, standing } of plan.files) {
      if (standing === 'same') continue;
      makeFolder(dirname(join(root, path)));
      writeFileSync(join(root, path), text);
      chmodSync(join(root, path), mode); // whatever the umask
    }
    if (plan.addAccount !== null) await call(plan.addAccount);
    const remarks = makeOwnFolders(plan);
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
export async function carryUninstall(plan: UninstallPlan): Promise<void> {
  await told(async () => {
    for (const command of plan.before) await call(command);
    for (const path of [...plan.links, ...plan.files]) rmSync(join(plan.root, path));
    if (plan.removeAccount !== null) await call(plan.removeAccount);
    for (const command of plan.commands) await call(command);
  });
}

/** For the account alone. One that is there stays as it is; if it is another account's, that is told. */
function makeOwnFolders({ root, account, folders }: InstallPlan): string[] {
  const owner = readAccounts(root).find(({ name }) => name === account);
  return folders.flatMap((path) => {
    const folder = join(root, path);
    if (existsSync(folder)) {
      const { uid } = statSync(folder);
      const isOther = owner !== undefined && owner.uid !== uid;
      return isOther ? [`${path} belongs to user ${uid}, not to ${account}: chown -R ${account}: ${path}`] : [];
    }
    makeFolder(dirname(folder));
    mkdirSync(folder, { mode: 0o700 });
    if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
    return [];
  });
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
