import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { describeError } from '../core/describe.js';

/** Why a file cannot be written, if its folder or its disk shows it: read-only, not permitted, full. */
export function findDiskProblem(file: string, folder: string): string | undefined {
  try {
    for (const each of [folder, file].filter((path) => existsSync(path))) accessSync(each, constants.W_OK);
    const { bavail, files, ffree } = statfsSync(folder);
    if (bavail === 0) return 'no space left on the disk';
    if (files > 0 && ffree === 0) return 'no inode left on the disk: it has too many files';
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}
