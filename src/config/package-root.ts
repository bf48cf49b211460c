import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The installed package's folder, which holds playbooks/ and templates/ beside the code, bundled or not. */
export function findPackageRoot(from = import.meta.dirname): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'playbooks'))) return folder;
    if (folder === dirname(folder))
      throw new Error(`the installation of firebreak is incomplete: no playbooks folder above ${from}`);
  }
}

export function readVersion(root = findPackageRoot()): string {
  const parsed = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return parsed.version;
}
