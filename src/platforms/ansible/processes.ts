import { readdirSync, readFileSync } from 'node:fs';
import { controlSocketName } from './workspace.js';

/**
 * Finds all processes of a run, including ssh masters and setsid workers, which leave the process group.
 * A master overwrites its environment with its title, so it is identified by the socket that the title names.
 */
export function findProcesses(runId: string, proc = '/proc'): number[] {
  const marker = `FIREBREAK_RUN_ID=${runId}`;
  const socket = `/${controlSocketName(runId)}/`;
  const isMaster = (title: string): boolean => title.startsWith('ssh: ') && title.includes(socket);
  return readdirSync(proc)
    .filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid)
    .filter(
      (name) =>
        read(`${proc}/${name}/environ`).split('\0').includes(marker) || isMaster(read(`${proc}/${name}/cmdline`)),
    )
    .map(Number);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return ''; // it has exited, or belongs to another user and so not to the run
  }
}

/** Sends a signal; it is not an error if the process or group (negative id) has already exited. */
export function signal(id: number, name: NodeJS.Signals): void {
  try {
    process.kill(id, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/**
 * Ends every process that still has the run's id, in any group. Resolves when none is left.
 * @param graceMs how long a process may take to exit after SIGTERM before it is killed
 */
export async function killStragglers(runId: string, graceMs = 500): Promise<void> {
  const deadline = Date.now() + graceMs;
  for (let left = findProcesses(runId), first = true; left.length > 0; left = findProcesses(runId), first = false) {
    const overdue = Date.now() > deadline;
    if (first || overdue) for (const id of left) signal(id, overdue ? 'SIGKILL' : 'SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Kills all processes of a run synchronously, for the launcher's exit handler, which cannot await anything. */
export function killAllSync(runId: string): void {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const left = findProcesses(runId);
    if (left.length === 0) return;
    for (const id of left) signal(id, 'SIGKILL');
  }
}
