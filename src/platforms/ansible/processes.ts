import { readdirSync, readFileSync } from 'node:fs';
import { controlSocketName } from './workspace.js';

/**
 * Finds the processes of a run wherever they went: ssh masters and setsid workers leave the group.
 * A master writes its title over its environment, so it is known by the socket that the title names.
 */
export function findProcesses(runId: string, proc = '/proc'): number[] {
  const mark = `FIREBREAK_RUN_ID=${runId}`;
  const socket = `/${controlSocketName(runId)}/`;
  const isMaster = (title: string): boolean => title.startsWith('ssh: ') && title.includes(socket);
  return readdirSync(proc)
    .filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid)
    .filter(
      (name) => read(`${proc}/${name}/environ`).split('\0').includes(mark) || isMaster(read(`${proc}/${name}/cmdline`)),
    )
    .map(Number);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return ''; // it ended meanwhile, or it is another user's and so none of ours
  }
}

/** Sends a signal; a process or group (negative id) that has gone already is no error. */
export function signal(id: number, name: NodeJS.Signals): void {
  try {
    process.kill(id, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/**
 * Ends all that still carries the run's id, whichever group it is in. Resolves when none is left.
 * @param graceMs how long a process may take to end by itself before it is killed
 */
export async function killStragglers(runId: string, graceMs = 500): Promise<void> {
  const deadline = Date.now() + graceMs;
  for (let left = findProcesses(runId), first = true; left.length > 0; left = findProcesses(runId), first = false) {
    const overdue = Date.now() > deadline;
    if (first || overdue) for (const id of left) signal(id, overdue ? 'SIGKILL' : 'SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Ends all of a run by force and at once: for the launcher's own last moment, when nothing can be awaited. */
export function killAllSync(runId: string): void {
  for (let tries = 0; tries < 100; tries += 1) {
    const left = findProcesses(runId);
    if (left.length === 0) return;
    for (const id of left) signal(id, 'SIGKILL');
  }
}
