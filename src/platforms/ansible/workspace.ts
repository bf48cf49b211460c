import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A run's private folder. What is in it tells the run's whole story, without a secret. */
export interface Workspace {
  folder: string;
  /** Where ssh keeps its control sockets: short, for a socket's path may have 107 bytes at most. */
  controlFolder: string;
  file(name: string): string;
  write(name: string, text: string): string;
  /** Takes away what nobody reads later; a dry run leaves nothing at all. Idempotent; done at exit if not before. */
  close(): void;
}

/** ssh appends 40 characters of hash and 17 of its own to the folder of a control socket. */
const longestControlFolder = 107 - 60;

/**
 * Makes `<stateDir>/runs/<id>` (mode 0700), or a folder that vanishes where nothing is to be kept.
 * @throws the file system's own error where the folder cannot be made
 */
export function openWorkspace(runId: string, stateDir: string | undefined): Workspace {
  const folder = stateDir === undefined ? mkdtempSync(join(tmpdir(), 'firebreak-')) : join(stateDir, 'runs', runId);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  mkdirSync(join(folder, 'tmp'), { mode: 0o700 });
  const controlFolder = findControlFolder(runId, stateDir ?? folder);
  mkdirSync(controlFolder, { recursive: true, mode: 0o700 });
  const close = (): void => {
    process.off('exit', close);
    cleanRun(runId, stateDir ?? folder, stateDir === undefined ? folder : join(folder, 'tmp'));
  };
  process.on('exit', close);
  return {
    folder,
    controlFolder,
    file: (name) => join(folder, name),
    write: (name, text) => {
      writeFileSync(join(folder, name), text, { mode: 0o600, flag: 'wx' });
      return join(folder, name);
    },
    close,
  };
}

/** Takes away what only a run under way needs: also for one whose launcher has died. */
export function cleanRun(runId: string, stateDir: string, temporary = join(stateDir, 'runs', runId, 'tmp')): void {
  for (const folder of [findControlFolder(runId, stateDir), temporary])
    rmSync(folder, { recursive: true, force: true });
}

/** One a run: a master that runs shared would die under one run when the other ends. */
function findControlFolder(runId: string, stateDir: string): string {
  const name = controlSocketName(runId);
  const wanted = join(stateDir, 'ssh', name);
  return Buffer.byteLength(wanted) <= longestControlFolder ? wanted : join('/tmp', name);
}

/** The name of the folder with a run's control socket, by which its ssh master is known. */
export const controlSocketName = (runId: string): string => `fb-${runId.slice(-10)}`;

/**
 * Removes the folders of runs that are not among these. One that cannot be removed stays, and hinders nobody: the run
 * that was just made is proven all the same.
 */
export function pruneRuns(stateDir: string, keep: readonly string[]): void {
  const runs = join(stateDir, 'runs');
  const kept = new Set(keep);
  for (const name of listRuns(runs).filter((each) => !kept.has(each))) {
    try {
      rmSync(join(runs, name), { recursive: true, force: true });
    } catch {
      continue; // another account's, or a disk that is read-only by now: doctor tells
    }
  }
}

function listRuns(runs: string): string[] {
  try {
    return readdirSync(runs);
  } catch {
    return [];
  }
}
