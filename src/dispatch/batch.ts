import { performance } from 'node:perf_hooks';
import { applyPlay, runPlaybook } from '../platforms/ansible/run.js';
import type { Workspace } from '../platforms/ansible/workspace.js';
import type { Block } from '../core/block.js';
import { toRecord } from '../core/block-record.js';
import { FirebreakError, type ErrorCode } from '../core/errors.js';
import type { FirewallInterface } from '../core/interface-name.js';
import type { BlockResult } from '../core/lifecycle.js';
import type { InterfaceNetwork } from '../core/policy.js';
import type { App } from '../runtime/app.js';
import { resultFor } from './block-result.js';
import { withWorkspace } from './run-folder.js';

export interface BatchRequest {
  run: string;
  firewall: string;
  blocks: readonly Block[];
  check: boolean;
  /** Whether the run's folder remains. A dry run leaves nothing. */
  keepRecord: boolean;
  fix?: boolean;
}

export interface BatchResult {
  ms: number;
  results: Map<string, BlockResult>;
  /** The firewall's own addresses, if the run read them. */
  addresses?: readonly string[] | undefined;
  interfaces?: readonly FirewallInterface[] | undefined;
  /** The networks behind its interfaces, if the run read them. */
  networks?: readonly InterfaceNetwork[] | undefined;
  /** The run's record; undefined for a dry run, and if it could not be stored. */
  folder: string | undefined;
  /** How Ansible was run: warm, or cold with the reason. */
  way?: string | undefined;
  /** The step that failed, by its name in the role. */
  task?: string | undefined;
}

/** Brings one firewall to the desired state, in one run. A failed run is a result, never an exception. */
export async function applyBatch(
  request: BatchRequest,
  { config, stop, screen }: Pick<App, 'config' | 'stop' | 'screen'>,
): Promise<BatchResult> {
  const { run, firewall, blocks, check, keepRecord, fix = false } = request;
  const settings = config.firewalls[firewall];
  if (settings === undefined)
    return failAll(blocks, 'firewall_unknown', `the configuration has no firewall ${firewall}`);
  const started = performance.now();
  try {
    return await withWorkspace(run, keepRecord ? config : undefined, async (workspace) => {
      const batch = {
        present: blocks.filter(({ desired }) => desired === 'present').map(toItem),
        absent: blocks.filter(({ desired }) => desired === 'absent').map(toItem),
        fix,
      };
      const { ansible, state_dir: stateDir } = config;
      let way: string | undefined;
      const onWay = (taken: string): void => void (way = taken);
      const verdict = await runPlaybook(
        { id: run, name: firewall, firewall: settings, ansible, workspace, stateDir, stop, watch: screen.watch, onWay },
        applyPlay(batch, check, workspace),
      );
      const ms = Math.round(performance.now() - started);
      const results = new Map(blocks.map((block) => [block.id, resultFor(block, verdict, check)]));
      saveOutcome(workspace, { run, firewall, ms, check, verdict, blocks: blocks.map(toRecord) });
      const task = verdict.kind === 'failed' && verdict.task !== '' ? verdict.task : undefined;
      const { addresses, interfaces, networks } = verdict.kind === 'done' ? verdict.result : {};
      const folder = keepRecord ? workspace.folder : undefined;
      return { ms, results, addresses, interfaces, networks, folder, task, way };
    });
  } catch (error) {
    if (!(error instanceof FirebreakError)) throw error;
    return { ...failAll(blocks, error.code, error.message), ms: Math.round(performance.now() - started) };
  }
}

/** Writes the run's outcome. The run counts whether or not this succeeds. */
function saveOutcome(workspace: Workspace, outcome: object): void {
  try {
    workspace.write('outcome.json', `${JSON.stringify(outcome, undefined, 2)}\n`);
  } catch {
    return; // the events contain the same facts, and the ledger the outcome
  }
}

const toItem = ({ flow, tracker, description }: Block) => ({ ...flow, tracker, description });

function failAll(blocks: readonly Block[], code: ErrorCode, reason: string): BatchResult {
  const result: BlockResult = { kind: 'failed', failure: 'failed', code, reason };
  return { ms: 0, results: new Map(blocks.map(({ id }) => [id, result])), folder: undefined };
}
