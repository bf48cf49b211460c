import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPackageRoot } from '../config/package-root.js';
import type { Config, FirewallConfig } from '../config/schema.js';
import { buildEnvironment, buildSshArgs } from './environment.js';
import { readEvents } from './events.js';
import { runProcess } from './process.js';
import { renderExtraVars, renderInventory, type Batch } from './render.js';
import { judge, type Verdict } from './verdict.js';
import { checkVersion } from './version.js';
import type { Workspace } from './workspace.js';

export interface RunRequest {
  id: string;
  name: string;
  firewall: FirewallConfig;
  batch: Batch;
  check: boolean;
  ansible: Config['ansible'];
  workspace: Workspace;
  stop: AbortSignal;
}

/**
 * Carries one batch to one firewall with the bundled playbook, and tells how it ended.
 * Applying a batch again changes nothing. When it resolves, no process of the run is left.
 * @throws FirebreakError ansible_missing, ansible_too_old
 */
export async function runPlaybook(request: RunRequest): Promise<Verdict> {
  const { id, name, firewall, workspace, ansible } = request;
  const inventory = workspace.write('inventory.yml', renderInventory(name, firewall, buildSshArgs(firewall)));
  const extraVars = workspace.write('extra-vars.yml', renderExtraVars(request.batch));
  const stderrFile = workspace.file('ansible.err');
  const playbook = join(findPackageRoot(), 'playbooks', 'apply.yml');
  const env = buildEnvironment(id, workspace, firewall);
  const ending = await runProcess({
    command: ansible.playbook_command,
    args: ['--inventory', inventory, '--extra-vars', `@${extraVars}`, ...(request.check ? ['--check'] : []), playbook],
    env,
    folder: workspace.folder,
    runId: id,
    stdoutFile: workspace.file('ansible.out'),
    stderrFile,
    timeoutMs: ansible.timeout,
    stop: request.stop,
  });
  const events = readEvents(workspace.file('events.jsonl'));
  const stderr = ending.kind === 'missing' ? '' : readFileSync(stderrFile, 'utf8');
  const verdict = judge(ending, events, name, stderr);
  if (verdict.kind === 'not_started') await checkVersion(ansible.playbook_command, env);
  return verdict;
}
