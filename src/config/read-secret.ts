import { execFileSync, type ExecFileSyncOptions } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';

/**
 * The secret that a file holds or, where it is a program (mode 0700), prints: as Ansible takes its password files.
 * @throws the system's own error; never one that holds what the program printed
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
