import { ulid } from 'ulid';
import type { StatusResult } from '../platforms/ansible/events.js';
import { askStatus } from '../platforms/ansible/run.js';
import type { Verdict } from '../platforms/ansible/run-result.js';
import type { FirewallConfig } from '../config/schema.js';
import type { App } from '../runtime/app.js';
import { inWorkspace } from './run-folder.js';

/**
 * Asks one firewall which rules of ours stand there, and leaves nothing anywhere.
 * @throws FirebreakError where there is no ansible to run, or no place for its folder
 */
export function readFirewall(
  name: string,
  firewall: FirewallConfig,
  { config, stop, screen }: Pick<App, 'config' | 'stop' | 'screen'>,
): Promise<Verdict<StatusResult>> {
  const id = ulid();
  const { ansible } = config;
  return inWorkspace(id, undefined, (workspace) =>
    askStatus({ id, name, firewall, ansible, workspace, stop, watch: screen.watch }),
  );
}
