import { spawn } from 'node:child_process';
import { findChildEnvironment } from '../config/child-environment.js';

/**
 * Starts a process of its own that carries and sends what was kept, so that the caller need not wait: it takes the
 * leases and messages that were acquired in the owner's name, and ends when nothing is due. Nobody waits for it; if it
 * never comes up, the leases lapse and the next launcher sees to it.
 */
export function startDrainer(
  owner: string,
  configFile: string,
  script: string,
  outer: NodeJS.ProcessEnv = process.env,
): void {
  const child = spawn(process.execPath, [script, 'drain', '--config', configFile, '--owner', owner], {
    cwd: '/',
    detached: true,
    stdio: 'ignore',
    env: {
      ...findChildEnvironment(outer),
      // It sends mail too: to a server whose certificate an operator's own authority has signed.
      ...(outer['NODE_EXTRA_CA_CERTS'] !== undefined && { NODE_EXTRA_CA_CERTS: outer['NODE_EXTRA_CA_CERTS'] }),
    },
  });
  child.once('error', () => undefined); // the leases lapse, and the next launcher takes over
  child.unref();
}
