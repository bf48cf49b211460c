import { userInfo } from 'node:os';
import { isAbsolute } from 'node:path';
import { explainDistrust } from './trusted.js';

const usual = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * What the programs that we start get of the caller's environment: PATH without the folders that another user could
 * write to, and the home folder from the system's user database instead of the caller's HOME.
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
    return '/'; // a container's user may have no entry
  }
}
