import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as z from 'zod';
import { findPackageRoot } from '../../config/package-root.js';
import type { Config, FirewallConfig } from '../../config/schema.js';
import type { Check } from '../../core/check.js';
import { buildEnvironment, buildSshArgs } from './environment.js';
import { batchResult, readEvents, statusResult, type BatchResult, type StatusResult } from './events.js';
import { runProcess, startProgram, type ProcessOptions, type ProcessResult } from './process.js';
import { renderExtraVars, renderInventory, type Batch } from './render.js';
import { toRunResult, type RunResult } from './run-result.js';
import { platformOf } from '../index.js';
import type { Platform } from '../platform.js';
import { checkVersion } from './version.js';
import { findWarmPlace, retireRunner, spawnRunner, startWarm, type Cold } from './warm-runner.js';
import type { Workspace } from './workspace.js';

export interface RunRequest {
  id: string;
  name: string;
  firewall: FirewallConfig;
  ansible: Config['ansible'];
  workspace: Workspace;
  /** Where a warm runner may be; undefined runs ansible-playbook itself. */
  stateDir?: string | undefined;
  /** Called with the way that the run takes: `warm`, or `cold` with the reason. */
  onWay?: ((way: string) => void) | undefined;
  /** By default the firewall's own; a test passes another. */
  platform?: Platform | undefined;
  stop: AbortSignal;
  watch?: Watch | undefined;
}

/** Called when a run starts, with the file that its events are appended to. Returns what to call when the run ends. */
export type Watch = (firewall: string, eventsFile: string) => () => void;

/** One run of a bundled playbook. */
export interface Play<T> {
  playbook: string;
  args: readonly string[];
  /** What the playbook reports at its end. */
  schema: z.ZodType<T>;
}

/** Applies one batch to one firewall. Idempotent. */
export const applyPlay = (batch: Batch, check: boolean, workspace: Workspace): Play<BatchResult> => ({
  playbook: 'apply.yml',
  args: [
    '--extra-vars',
    `@${workspace.write('extra-vars.yml', renderExtraVars(batch))}`,
    '--skip-tags=report_failure', // firebreak_partial leaves it nothing to do
    ...(check ? ['--check'] : []),
  ],
  schema: batchResult,
});

/** Reads which Firebreak rules one firewall has. Changes nothing. */
export const statusPlay: Play<StatusResult> = { playbook: 'status.yml', args: [], schema: statusResult };

/** Checks what a run will need on one firewall. Changes nothing. @throws as runPlaybook */
export async function runDoctor(request: RunRequest): Promise<RunResult<Check[]>> {
  const { firewall, platform = platformOf(firewall) } = request;
  const { doctor } = platform;
  const result = await runPlaybook(request, { playbook: 'doctor.yml', args: [], schema: doctor.facts });
  return result.kind === 'done' ? { kind: 'done', result: doctor.checksOf(result.result, firewall) } : result;
}

/**
 * Runs a bundled playbook. When it resolves, no process of the run is left.
 * @throws FirebreakError ansible_missing, ansible_too_old
 */
export async function runPlaybook<T>(request: RunRequest, { playbook, args, schema }: Play<T>): Promise<RunResult<T>> {
  const { id, name, firewall, workspace, ansible, platform = platformOf(firewall) } = request;
  const sshArgs = buildSshArgs(firewall, ansible);
  const inventory = workspace.write('inventory.yml', renderInventory({ name, firewall, sshArgs, platform }));
  const roleArgs = ['--extra-vars', JSON.stringify({ firebreak_platform: platform.role })];
  const stderrFile = workspace.file('ansible.err');
  const env = buildEnvironment({ runId: id, workspace, firewall });
  const endWatch = request.watch?.(name, workspace.file('events.jsonl'));
  const options = {
    command: ansible.playbook_command,
    args: ['--inventory', inventory, ...roleArgs, ...args, join(findPackageRoot(), 'playbooks', playbook)],
    env,
    folder: workspace.folder,
    runId: id,
    stdoutFile: workspace.file('ansible.out'),
    stderrFile,
    timeoutMs: ansible.timeout,
    stop: request.stop,
  };
  const hasBegun = (): boolean => readEvents(workspace.file('events.jsonl')).length > 0;
  const ended = await runEitherWay(options, request, hasBegun).finally(endWatch);
  const events = readEvents(workspace.file('events.jsonl'));
  const stderr = ended.kind === 'missing' ? '' : readFileSync(stderrFile, 'utf8');
  const result = toRunResult(ended, events, { host: name, stderr, schema });
  if (result.kind === 'not_started') await checkVersion(ansible.playbook_command, env);
  return result;
}

/** Runs warm if a runner takes the run, otherwise cold, and then starts a runner for the next run. */
async function runEitherWay(
  options: ProcessOptions,
  { stateDir, ansible, onWay }: RunRequest,
  hasBegun: () => boolean,
): Promise<ProcessResult> {
  const where = { idleMs: ansible.warm, command: options.command, path: options.env['PATH'] ?? '' };
  const place = stateDir === undefined ? 'not for this run' : findWarmPlace(stateDir, where);
  if (typeof place === 'string') {
    onWay?.(`cold: ${place}`);
    return runProcess(options);
  }
  let cold: Cold | undefined;
  const ended = await runProcess(options, async () => {
    const started = await startWarm(place, options);
    if (!('cold' in started)) return started;
    cold = started;
    return options.stop.aborted ? undefined : startProgram(options);
  });
  const isLost = cold === undefined && ended.kind === 'exited' && ended.code !== 0 && !hasBegun();
  if (isLost) cold = { cold: 'the run ended before it began', isGone: false };
  onWay?.(cold === undefined ? 'warm' : `cold: ${cold.cold}`);
  if (cold === undefined && ended.kind === 'timeout') retireRunner(place);
  if (isLost) return runProcess(options); // no task has run, so nothing runs twice
  if (cold?.isGone && ended.kind === 'exited' && hasBegun()) spawnRunner(place, options.env);
  return ended;
}
