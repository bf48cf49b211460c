import { execa } from 'execa';
import { FirebreakError } from '../../core/errors.js';

/** Debian 12's; older ones lack what the playbooks need. */
const oldest = [2, 14] as const;

/**
 * Runs ansible-playbook to get its version. Costs 0.3 s, so only after a run that did not start.
 * @returns a version such as `2.14.18`; undefined if the output has none
 * @throws FirebreakError ansible_missing or ansible_too_old, with what to install
 */
export async function checkVersion(command: string, env: Record<string, string>): Promise<string | undefined> {
  const { stdout, exitCode } = await execa(command, ['--version'], {
    env,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    cwd: '/', // the caller's folder may hold an ansible.cfg
    timeout: 10_000,
  });
  if (exitCode === undefined) {
    throw new FirebreakError(
      'ansible_missing',
      `${command}: no such program on ${env['PATH'] ?? 'the PATH'}; install ansible-core (apt-get install ansible-core) or set ansible.playbook_command`,
    );
  }
  const version = /(?:core |ansible-playbook )([0-9]+)\.([0-9]+)(\.[0-9]+)?/.exec(stdout);
  if (version === null) return undefined;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return `${major}.${minor}${version[3] ?? ''}`;
  throw new FirebreakError(
    'ansible_too_old',
    `${command} is ${major}.${minor}: firebreak needs ansible-core ${oldest.join('.')} or newer; install it, or set ansible.playbook_command`,
  );
}
