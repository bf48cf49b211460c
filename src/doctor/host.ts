import { join } from 'node:path';
import { ulid } from 'ulid';
import { findChildEnvironment } from '../config/child-environment.js';
import { findPackageRoot } from '../config/package-root.js';
import type { Config } from '../config/schema.js';
import { fail, ok, skipped, warn, type Check } from '../core/check.js';
import type { ErrorCode, FirebreakError } from '../core/errors.js';
import { withWorkspace } from '../dispatch/run-folder.js';
import { count } from '../views/count.js';
import type { Workspace } from '../platforms/ansible/workspace.js';
import { findListWarnings } from '../runtime/protected-copies.js';
import { checkPlaybooks, checkTemplates } from './package.js';
import { checkAnsible, checkNode, checkSsh, checkSshpass } from './programs.js';
import { checkDisk, checkLedger, checkLog, describeOwner, checkStateFolder, skipLedger } from './state.js';

/** A configuration that could be read. */
export interface Loaded {
  file: string;
  config: Config;
}

/** Checks the programs and files of this host. `canRun` is whether a playbook can be run on a firewall. */
export function checkHost(loaded: Loaded | { error: FirebreakError }): Promise<{ checks: Check[]; canRun: boolean }> {
  const config = 'config' in loaded ? loaded.config : undefined;
  const command = config?.ansible.playbook_command ?? 'ansible-playbook';
  return withWorkspace(ulid(), undefined, async (workspace) => {
    const env = buildLocalEnvironment(workspace);
    const ansible = await checkAnsible(command, env);
    const ssh = checkSsh(env['PATH']);
    const sshpass = config && checkSshpass(config, ansible.version, env['PATH']);
    const isAnsible = ansible.check.state !== 'wrong';
    const checks = [
      checkNode(),
      ansible.check,
      ssh,
      ...(sshpass ? [sshpass] : []),
      ...(await checkConfiguration(loaded)),
      checkTemplates(config?.templates_dir),
      isAnsible ? await checkPlaybooks(command, env) : skipped('playbooks', 'needs ansible-playbook'),
    ];
    return { checks, canRun: isAnsible && ssh.state === 'ok' && sshpass?.state === 'ok' };
  });
}

/** The environment of an ansible-playbook that connects to no firewall. */
const buildLocalEnvironment = (workspace: Workspace): Record<string, string> => ({
  ...findChildEnvironment(),
  ANSIBLE_CONFIG: join(findPackageRoot(), 'playbooks/ansible.cfg'),
  LC_ALL: 'C.UTF-8',
  ANSIBLE_HOME: workspace.file('tmp'),
  ANSIBLE_LOCAL_TEMP: workspace.file('tmp'),
  ANSIBLE_NOCOLOR: '1',
  ANSIBLE_LOCALHOST_WARNING: 'False',
});

const howToFix: Partial<Record<ErrorCode, string>> = {
  config_missing: 'create one with firebreak init',
  config_exposed: 'run the command in the message, and review who could write the file until now',
};

/** Without entries of its own, only the addresses that Firebreak finds itself are protected. */
function checkProtected({ policy }: Config): Check {
  const own = policy.never_block.length;
  if (own > 0) return ok('never_block', `${count(own, 'network')} beside the addresses of this host and the firewalls`);
  return warn(
    'never_block',
    'policy.never_block is empty: only the addresses of this host and the firewalls are protected',
    'list your gateway, resolvers, SIEM and your own address in policy.never_block',
  );
}

async function checkConfiguration(loaded: Loaded | { error: FirebreakError }): Promise<Check[]> {
  const name = 'config';
  if ('error' in loaded) {
    const { code, message } = loaded.error;
    return [fail(name, message.split('\n').join('; '), howToFix[code] ?? 'see docs/configuration.md for all keys')];
  }
  const { file, config } = loaded;
  const state = checkStateFolder(config.state_dir);
  return [
    ok(name, `${file}, ${count(Object.keys(config.firewalls).length, 'firewall')}, ${describeOwner(file)}`),
    checkProtected(config),
    ...findListWarnings(config).map((warning) => warn('lists', warning, 'restore the list')),
    state,
    checkDisk(config.state_dir),
    ...checkLog(config),
    state.state === 'ok' ? await checkLedger(config.state_dir) : skipLedger(),
  ];
}
