import { openWorkspace, pruneRuns, type Workspace } from '../ansible/workspace.js';
import type { Config } from '../config/schema.js';
import { describeError } from '../core/describe.js';
import { FirebreakError } from '../core/errors.js';

/**
 * Gives a run its folder, and tidies up after it.
 * @param keep the configuration that says where records are kept; undefined leaves none
 * @throws FirebreakError workspace_unwritable
 */
export async function inWorkspace<T>(
  run: string,
  keep: Config | undefined,
  work: (one: Workspace) => Promise<T>,
): Promise<T> {
  const workspace = openFolder(run, keep?.state_dir);
  try {
    return await work(workspace);
  } finally {
    workspace.close();
    if (keep !== undefined) pruneRuns(keep.state_dir, keep.ansible.keep_runs);
  }
}

function openFolder(run: string, stateDir: string | undefined): Workspace {
  try {
    return openWorkspace(run, stateDir);
  } catch (error) {
    throw new FirebreakError(
      'workspace_unwritable',
      `state_dir: cannot make a run folder in ${stateDir ?? 'the temporary folder'}: ${describeError(error)}; firebreak doctor looks at the folder`,
      { cause: error },
    );
  }
}
