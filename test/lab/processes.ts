import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Everything that runs inside a lab carries this variable with the lab's folder, so that it can be told from the rest. */
export const labVariable = 'FIREBREAK_LAB';

/** In the temporary folder, with the warm runner that the tests of a mocha process share. */
export const sharedFolder = 'shared';

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // it ended meanwhile, or it is another user's
  }
}

function findParent(pid: number): number | undefined {
  const [state, parent] = readProc(pid, 'stat').split(') ').at(-1)?.split(' ') ?? [];
  return state === undefined || state === 'Z' || parent === undefined ? undefined : Number(parent);
}

function listPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** The process itself and all that descends from it, as far as they run. */
export function findTree(pid: number): number[] {
  const parents = new Map(listPids().map((one) => [one, findParent(one)]));
  const tree = new Set(parents.get(pid) === undefined ? [] : [pid]);
  for (let before = -1; before < tree.size;) {
    before = tree.size;
    for (const [one, parent] of parents) if (parent !== undefined && tree.has(parent)) tree.add(one);
  }
  return [...tree];
}

/** What runs with the lab's variable set to this folder, whatever it detached itself from. */
export const findInLab = (folder: string): number[] => findWithVariable(labVariable, folder);

/** What runs with this in its environment. */
export function findWithVariable(name: string, value: string): number[] {
  const wanted = `\0${name}=${value}\0`;
  return listPids().filter((pid) => findParent(pid) !== undefined && `\0${readProc(pid, 'environ')}`.includes(wanted));
}

/** What runs with such a variable and names the folder anywhere in its environment or arguments. */
export function findMarked(name: string, folder: string): number[] {
  return listPids().filter((pid) => {
    const environment = `\0${readProc(pid, 'environ')}`;
    return environment.includes(`\0${name}=`) && environment.includes(folder) && findParent(pid) !== undefined;
  });
}

/** What names this folder in its arguments, or in the title that it gave itself. */
export function findNaming(folder: string): number[] {
  return listPids().filter((pid) => readProc(pid, 'cmdline').includes(folder));
}

/** The warm runner of this state folder. Its forks differ from it in that they carry the id of their run. */
export function findWarmRunner(stateDir: string): number[] {
  const unmarked = new Set(findWithVariable('FIREBREAK_RUN_ID', '0'.repeat(26)));
  return findNaming(`${stateDir}/warm\0`).filter((pid) => unmarked.has(pid));
}

/** What was started with this word. */
export function findByWord(word: string): number[] {
  return listPids().filter((pid) => readProc(pid, 'cmdline').split('\0').includes(word));
}

export function isSshd(pid: number): boolean {
  return readProc(pid, 'comm').startsWith('sshd');
}

export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // it ended meanwhile
    }
  }
}

/** Ends these processes by force, and returns when they are gone. */
export function endSync(pids: readonly number[]): void {
  signalAll(pids, 'SIGKILL');
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 0; pids.some((pid) => findParent(pid) !== undefined) && tries < 300; tries += 1) {
    Atomics.wait(cell, 0, 0, 10);
  }
}

/** The same without blocking. */
export async function endAll(pids: readonly number[]): Promise<void> {
  signalAll(pids, 'SIGKILL');
  for (let tries = 0; pids.some((pid) => findParent(pid) !== undefined); tries += 1) {
    if (tries > 300) throw new Error(`The lab could not end the processes ${pids.join(', ')}.`);
    await sleep(10);
  }
}
