import { ulid } from 'ulid';
import type { StatusResult } from '../platforms/ansible/events.js';
import { readStatus } from '../platforms/ansible/run.js';
import type { RunResult } from '../platforms/ansible/run-result.js';
import type { FirewallConfig } from '../config/schema.js';
import type { App } from '../runtime/app.js';
import { withWorkspace } from './run-folder.js';

/**
 * Asks one firewall which rules of ours stand there, and leaves nothing anywhere.
 * @throws FirebreakError where there is no ansible to run, or no place for its folder
 */
export function readFirewall(
  name: string,
  firewall: FirewallConfig,
  { config, stop, screen }: Pick<App, 'config' | 'stop' | 'screen'>,
): Promise<RunResult<StatusResult>> {
  const id = ulid();
  const { ansible } = config;
  return withWorkspace(id, undefined, (workspace) =>
    readStatus({ id, name, firewall, ansible, workspace, stop, watch: screen.watch }),
  );
}
