import { performance } from 'node:perf_hooks';
import { ulid } from 'ulid';
import { runPlaybook } from '../ansible/run.js';
import { openWorkspace, pruneRuns, type Workspace } from '../ansible/workspace.js';
import type { Config, FirewallConfig } from '../config/schema.js';
import { describeError } from '../core/describe.js';
import { FirebreakError } from '../core/errors.js';
import type { Block, RunSummary } from '../core/outcome.js';
import { outcomeFor } from './outcome.js';

/** A block that is wanted on a firewall and not yet carried there. */
export type Wanted = Omit<Block, 'outcome'>;

export interface ApplyRequest {
  name: string;
  firewall: FirewallConfig;
  wanted: readonly Wanted[];
  config: Config;
  check: boolean;
  stop: AbortSignal;
}

export interface Applied {
  blocks: Block[];
  run: RunSummary;
  /** The run's folder; for a dry run it is gone already. */
  folder: string;
}

/**
 * Makes one firewall agree with what is wanted, in one run, and keeps the record in the run's folder.
 * @throws FirebreakError where there is no ansible to run, or no place for the run's folder
 */
export async function applyToFirewall(request: ApplyRequest): Promise<Applied> {
  const { name, firewall, wanted, config, check, stop } = request;
  const id = ulid();
  const started = performance.now();
  const workspace = openRunFolder(id, check ? undefined : config.state_dir);
  try {
    const present = wanted.map(({ flow, tracker, description }) => ({ ...flow, tracker, description }));
    const batch = { present, absent: [] };
    const verdict = await runPlaybook({ id, name, firewall, batch, check, ansible: config.ansible, workspace, stop });
    const run = { id, ms: Math.round(performance.now() - started), batch: wanted.length };
    const blocks = wanted.map((block) => ({ ...block, outcome: outcomeFor(block.tracker, verdict, check) }));
    workspace.write('outcome.json', `${JSON.stringify({ run, check, verdict, blocks }, undefined, 2)}\n`);
    return { blocks, run, folder: workspace.folder };
  } finally {
    workspace.close();
    if (!check) pruneRuns(config.state_dir, config.ansible.keep_runs);
  }
}

function openRunFolder(id: string, stateDir: string | undefined): Workspace {
  try {
    return openWorkspace(id, stateDir);
  } catch (error) {
    throw new FirebreakError(
      'workspace_unwritable',
      `state_dir: cannot make a run folder in ${stateDir ?? 'the temporary folder'}: ${describeError(error)}`,
      { cause: error },
    );
  }
}
