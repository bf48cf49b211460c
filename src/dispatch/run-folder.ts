import { openWorkspace, type Workspace } from '../platforms/ansible/workspace.js';
import type { Config } from '../config/schema.js';
import { describeError } from '../core/describe.js';
import { FirebreakError } from '../core/errors.js';

/**
 * Gives a run its folder, and tidies up after it.
 * @param keep the configuration that says where records are kept; undefined leaves none
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

/** Of a file that could not be opened or written: a full disk, no inode or descriptor left, rights. */
const isFileError = (error: unknown): boolean => error instanceof Error && 'syscall' in error;

const unwritable = (folder: string, error: unknown): FirebreakError =>
  new FirebreakError(
    'workspace_unwritable',
    `state_dir: a run cannot be prepared in ${folder}: ${describeError(error)}; firebreak doctor looks at the folder`,
    { cause: error },
  );
