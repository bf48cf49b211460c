import { userInfo } from 'node:os';
import { isAbsolute } from 'node:path';
import { explainDistrust } from './trusted.js';

const usual = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * What a program that we start gets of the caller's environment: where programs lie, without the folders in which
 * somebody else could have planted one, and the home that the system knows, not the one that the caller names.
 */
export function findChildEnvironment(outer: NodeJS.ProcessEnv = process.env): { PATH: string; HOME: string } {
  const folders = (outer['PATH'] ?? usual).split(':');
  const trusted = folders.filter((folder) => isAbsolute(folder) && explainDistrust(folder) === undefined);
  return { PATH: trusted.join(':') || usual, HOME: findHome() };
}

function findHome(): string {
  try {
    return userInfo().homedir;
  } catch {
    return '/'; // a container's user need not have an entry
  }
}
