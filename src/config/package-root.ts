import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The installed package's folder: playbooks/ and templates/ lie there, beside whatever form the code has. */
export function findPackageRoot(from = dirname(fileURLToPath(import.meta.url))): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'playbooks'))) return folder;
    if (folder === dirname(folder)) throw new Error(`firebreak is not installed whole: no playbooks above ${from}`);
  }
}

export function readVersion(root = findPackageRoot()): string {
  const parsed = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return parsed.version;
}
