import { execFileSync, type ExecFileSyncOptions } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';

/**
 * Reads a secret from a file, or from the output of an executable one (mode 0700), as Ansible does with password files.
 * @throws the system's own error, which never contains the program's output
 */
export function readSecret(file: string): string {
  const text = isProgram(file) ? execFileSync(file, [], options).toString() : readFileSync(file, 'utf8');
  return text.replace(/\r?\n$/, '');
}

const options: ExecFileSyncOptions = { stdio: ['ignore', 'pipe', 'ignore'], timeout: 10_000 };

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
