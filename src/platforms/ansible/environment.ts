import { join } from 'node:path';
import { findChildEnvironment } from '../../config/child-environment.js';
import { findPackageRoot } from '../../config/package-root.js';
import type { Config, FirewallConfig } from '../../config/schema.js';
import type { Workspace } from './workspace.js';

/** The whole environment of ansible-playbook, named key by key, so that none of the caller's leaks in. */
export function buildEnvironment(
  { runId, workspace, firewall }: { runId: string; workspace: Workspace; firewall: FirewallConfig },
  outer: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const playbooks = join(findPackageRoot(), 'playbooks');
  return {
    ...findChildEnvironment(outer),
    LANG: 'C.UTF-8',
    LC_ALL: 'C.UTF-8',
    FIREBREAK_RUN_ID: runId,
    FIREBREAK_EVENTS: workspace.file('events.jsonl'),
    ANSIBLE_CONFIG: join(playbooks, 'ansible.cfg'), // a stray one must not change the meaning of a block
    ANSIBLE_HOME: workspace.file('tmp'),
    ANSIBLE_LOCAL_TEMP: workspace.file('tmp'),
    ANSIBLE_CALLBACK_PLUGINS: join(playbooks, 'callback_plugins'),
    ANSIBLE_SSH_CONTROL_PATH_DIR: workspace.controlFolder,
    ANSIBLE_SSH_CONTROL_PATH: '%(directory)s/%%C',
    ANSIBLE_NOCOLOR: '1',
    ANSIBLE_INVENTORY_ENABLED: 'yaml', // Ansible would try each of its kinds
    ANSIBLE_TRANSPORT: 'ssh', // older versions would run ssh to find out what it can do
    ...(firewall.password_file !== undefined && { ANSIBLE_CONNECTION_PASSWORD_FILE: firewall.password_file }),
    ...(firewall.become_password_file !== undefined && { ANSIBLE_BECOME_PASSWORD_FILE: firewall.become_password_file }),
  };
}

/** Options of every ssh call of a run: the host key is always verified, and ssh never prompts. */
export function buildSshArgs(firewall: FirewallConfig, { ssh_kex: kex }: Pick<Config['ansible'], 'ssh_kex'>): string[] {
  const file = firewall.known_hosts_file;
  return [
    '-o StrictHostKeyChecking=yes',
    ...(kex === 'default' ? [] : [`-o KexAlgorithms=${kex}`]),
    ...(file === undefined ? [] : [`-o UserKnownHostsFile="${file}"`]),
    ...(firewall.password_file === undefined ? ['-o BatchMode=yes', '-o PasswordAuthentication=no'] : []),
    ...(firewall.private_key_file === undefined ? [] : ['-o IdentitiesOnly=yes']),
  ];
}
