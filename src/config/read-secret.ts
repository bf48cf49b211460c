import type { ExecFileSyncOptions } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';

/**
 * Reads a secret from a file, or from the output of an executable one (mode 0700), as Ansible does with password files.
 * @throws the system's own error, which never contains the program's output
 */
export function readSecret(file: string): string {
  const text = isProgram(file) ? execute(file) : readFileSync(file, 'utf8');
  return text.replace(/\r?\n$/, '');
}

/** Loads what starts a program only here, because few secrets need it. */
const execute = (file: string): string =>
  process.getBuiltinModule('node:child_process').execFileSync(file, [], options).toString();

const options: ExecFileSyncOptions = { stdio: ['ignore', 'pipe', 'ignore'], timeout: 10_000 };

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
