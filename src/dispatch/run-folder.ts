import { openWorkspace, type Workspace } from '../platforms/ansible/workspace.js';
import type { Config } from '../config/schema.js';
import { describeError } from '../core/describe.js';
import { FirebreakError } from '../core/errors.js';

/**
 * Creates a run's folder, and cleans up after the run.
 * @param keep the configuration with the place for the record; undefined leaves none
 * @throws FirebreakError workspace_unwritable
 */
export async function withWorkspace<T>(
  run: string,
  keep: Config | undefined,
  work: (one: Workspace) => Promise<T>,
): Promise<T> {
  const workspace = openFolder(run, keep?.state_dir);
  try {
    return await work(workspace);
  } catch (error) {
    throw isFileError(error) ? unwritable(workspace.folder, error) : error;
  } finally {
    workspace.close();
  }
}

function openFolder(run: string, stateDir: string | undefined): Workspace {
  try {
    return openWorkspace(run, stateDir);
  } catch (error) {
    throw unwritable(stateDir ?? 'the temporary folder', error);
  }
}

/** A file could not be opened or written: a full disk, no inode or descriptor left, missing permissions. */
const isFileError = (error: unknown): boolean => error instanceof Error && 'syscall' in error;

const unwritable = (folder: string, error: unknown): FirebreakError =>
  new FirebreakError(
    'workspace_unwritable',
    `state_dir: cannot prepare a run in ${folder} (${describeError(error)}); run firebreak doctor to check the folder`,
    { cause: error },
  );
