import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { checkVersion } from '../platforms/ansible/version.js';
import type { Config } from '../config/schema.js';
import { FirebreakError } from '../core/errors.js';
import { fail, ok, skipped, warn, type Check } from '../core/check.js';

/** The oldest Node that Firebreak's libraries run on (package.json, engines). */
const oldestNode = [20, 19] as const;

export function checkNode(version = process.versions.node): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNew = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  return isNew
    ? ok('Node', version)
    : fail('Node', `${version} is too old`, `install Node ${oldestNode.join('.')} or newer`);
}

/** Runs ansible-playbook, and returns its version for the checks that depend on it. */
export async function checkAnsible(
  command: string,
  env: Record<string, string>,
): Promise<{ check: Check; version: string | undefined }> {
  const name = 'ansible-playbook';
  try {
    const version = await checkVersion(command, env);
    const check =
      version === undefined
        ? warn(name, `${command} does not print its version`, `check the output of ${command} --version`)
        : ok(name, version);
    return { check, version };
  } catch (error) {
    if (!(error instanceof FirebreakError)) throw error;
    const fix = error.code === 'ansible_missing' ? 'apt-get install ansible-core' : 'install a newer ansible-core';
    return { check: fail(name, error.message, fix), version: undefined };
  }
}

export function checkSsh(path: string | undefined): Check {
  const found = findProgram('ssh', path);
  return found === undefined
    ? fail('ssh', `no such program on ${path ?? 'the PATH'}`, 'apt-get install openssh-client')
    : ok('ssh', found);
}

/** Ansible before 2.19 needs sshpass to log in with a password. */
export function checkSshpass(
  config: Pick<Config, 'firewalls'>,
  ansible: string | undefined,
  path: string | undefined,
): Check {
  const name = 'sshpass';
  const users = Object.entries(config.firewalls).filter(([, { password_file }]) => password_file !== undefined);
  const [major = 0, minor = 0] = (ansible ?? '').split('.').map(Number);
  if (users.length === 0) return ok(name, 'not needed: no firewall has a password_file');
  if (major > 2 || (major === 2 && minor >= 19)) return ok(name, `not needed with Ansible ${ansible}`);
  const found = findProgram(name, path);
  if (found !== undefined) return ok(name, found);
  const names = users.map(([firewall]) => firewall).join(', ');
  return ansible === undefined
    ? skipped(name, 'needs ansible-playbook')
    : fail(
        name,
        `not installed, but ${names} ${users.length === 1 ? 'has' : 'have'} a password_file`,
        'apt-get install sshpass, or better, use private_key_file',
      );
}

/** Finds a program on a path, as a shell would. */
export function findProgram(name: string, path = '/usr/local/bin:/usr/bin:/bin'): string | undefined {
  return path
    .split(':')
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return statSync(file).isFile();
      } catch {
        return false; // missing, or not executable: the next folder may have it
      }
    });
}
