import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A run's private folder. It documents the whole run, and holds no secrets. */
export interface Workspace {
  folder: string;
  /** The folder of ssh's control sockets: short, because a socket's path is limited to 107 bytes. */
  controlFolder: string;
  file(name: string): string;
  write(name: string, text: string): string;
  /** Removes temporary files; after a dry run, the whole folder. Idempotent, throws nothing; done at exit if not before. */
  close(): void;
}

/** ssh appends 40 characters of hash and 17 of its own to the folder of a control socket. */
const maxControlFolder = 107 - 60;

/**
 * Creates `<stateDir>/runs/<id>` (mode 0700), or a temporary folder if `stateDir` is undefined.
 * @throws the file system's own error if a folder cannot be created; then no temporary one is left
 */
export function openWorkspace(runId: string, stateDir: string | undefined): Workspace {
  const folder = stateDir === undefined ? mkdtempSync(join(tmpdir(), 'firebreak-')) : join(stateDir, 'runs', runId);
  const controlFolder = findControlFolder(runId, stateDir ?? folder);
  const close = (): void => {
    try {
      cleanRun(runId, stateDir ?? folder, stateDir === undefined ? folder : join(folder, 'tmp'));
      process.off('exit', close);
    } catch {
      // It stays for the exit, when there are descriptors again, and affects no run that has ended.
    }
  };
  process.on('exit', close);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    mkdirSync(join(folder, 'tmp'), { mode: 0o700 });
    mkdirSync(controlFolder, { recursive: true, mode: 0o700 });
  } catch (error) {
    close();
    throw error;
  }
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

/** Removes what only a run in progress needs; also called for a run whose launcher has died. */
export function cleanRun(runId: string, stateDir: string, temporary = join(stateDir, 'runs', runId, 'tmp')): void {
  for (const folder of [findControlFolder(runId, stateDir), temporary])
    rmSync(folder, { recursive: true, force: true });
}

/** One per run: an ssh master that two runs shared would end with the first of them. */
function findControlFolder(runId: string, stateDir: string): string {
  const name = controlSocketName(runId);
  const folder = join(stateDir, 'ssh', name);
  return Buffer.byteLength(folder) <= maxControlFolder ? folder : join('/tmp', name);
}

/** The name of the folder with a run's control socket, which identifies the run's ssh master. */
export const controlSocketName = (runId: string): string => `fb-${runId.slice(-10)}`;

/**
 * Removes the folders of all runs but these. One that cannot be removed is left, which does not affect the run that has
 * just ended.
 */
export function pruneRuns(stateDir: string, keep: readonly string[]): void {
  const runs = join(stateDir, 'runs');
  const kept = new Set(keep);
  for (const name of listRuns(runs).filter((each) => !kept.has(each))) {
    try {
      rmSync(join(runs, name), { recursive: true, force: true });
    } catch {
      continue; // another account's, or on a read-only disk, which doctor reports
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
