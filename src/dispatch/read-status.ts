import { ulid } from 'ulid';
import type { StatusResult } from '../platforms/ansible/events.js';
import { runPlaybook, statusPlay } from '../platforms/ansible/run.js';
import type { RunResult } from '../platforms/ansible/run-result.js';
import type { FirewallConfig } from '../config/schema.js';
import type { App } from '../runtime/app.js';
import { withWorkspace } from './run-folder.js';

/**
 * Reads our rules on one firewall, and leaves no files behind.
 * @throws FirebreakError if Ansible is missing, or its folder cannot be created
 */
export function readFirewall(
  name: string,
  firewall: FirewallConfig,
  { config, stop, screen }: Pick<App, 'config' | 'stop' | 'screen'>,
): Promise<RunResult<StatusResult>> {
  const id = ulid();
  const { ansible, state_dir: stateDir } = config;
  return withWorkspace(id, undefined, (workspace) =>
    runPlaybook({ id, name, firewall, ansible, workspace, stateDir, stop, watch: screen.watch }, statusPlay),
  );
}
