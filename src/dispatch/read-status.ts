import { ulid } from 'ulid';
import type { StatusResult } from '../platforms/ansible/events.js';
import { readStatus } from '../platforms/ansible/run.js';
import type { RunResult } from '../platforms/ansible/run-result.js';
import type { FirewallConfig } from '../config/schema.js';
import type { Parts } from './drain-firewall.js';
import { withWorkspace } from './run-folder.js';

/**
 * Asks one firewall which rules of ours stand there, and leaves nothing anywhere.
 * @throws FirebreakError where there is no ansible to run, or no place for its folder
 */
export function askFirewall(
  name: string,
  firewall: FirewallConfig,
  { config, stop, watch }: Pick<Parts, 'config' | 'stop' | 'watch'>,
): Promise<RunResult<StatusResult>> {
  const id = ulid();
  const { ansible } = config;
  return withWorkspace(id, undefined, (workspace) =>
    readStatus({ id, name, firewall, ansible, workspace, stop, watch }),
  );
}
