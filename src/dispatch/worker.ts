import { findChildEnvironment } from '../config/child-environment.js';
import type { App } from '../runtime/app.js';

/**
 * Starts a separate process that applies and sends what is queued, so that the caller need not wait: it takes over the
 * leases and messages that were acquired in the owner's name, and exits when nothing is due. If it never starts, the
 * leases lapse and the next launcher takes over.
 */
export function spawnWorker(
  owner: string,
  { configFile, program }: Pick<App, 'configFile' | 'program'>,
  outer: NodeJS.ProcessEnv = process.env,
): void {
  const { spawn } = process.getBuiltinModule('node:child_process'); // loaded here, because few alarms need it
  const child = spawn(process.execPath, [program, 'drain', '--config', configFile, '--owner', owner], {
    cwd: '/',
    detached: true,
    stdio: 'ignore',
    env: {
      ...findChildEnvironment(outer),
      // It also sends mail, perhaps to a server whose certificate is signed by a private authority.
      ...(outer['NODE_EXTRA_CA_CERTS'] !== undefined && { NODE_EXTRA_CA_CERTS: outer['NODE_EXTRA_CA_CERTS'] }),
    },
  });
  child.once('error', () => undefined); // the leases lapse, and the next launcher takes over
  child.unref();
}
