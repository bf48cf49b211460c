import type { AddressInfo } from 'node:net';
import { FirebreakError } from '../core/errors.js';

/** The first descriptor that systemd passes. */
const firstDescriptor = 3;

/**
 * The descriptor of the socket that systemd has opened for this process (sd_listen_fds(3)); undefined if there is none.
 * No child of this process takes it for its own.
 * @throws FirebreakError usage: several sockets
 */
export function takePassedSocket(env: NodeJS.ProcessEnv = process.env): number | undefined {
  const { LISTEN_PID: pid, LISTEN_FDS: many } = env;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) Reflect.deleteProperty(env, name);
  if (pid !== String(process.pid) || many === undefined) return undefined;
  if (many === '1') return firstDescriptor;
  throw new FirebreakError('usage', `systemd passes ${many} sockets: name one ListenStream in the socket unit`);
}

/** `ADDRESS:PORT` of a listening socket. @throws FirebreakError usage: not a socket of TCP */
export function addressOf(bound: AddressInfo | string | null): string {
  if (bound === null || typeof bound === 'string')
    throw new FirebreakError('usage', 'the socket that systemd passes is none of TCP: ListenStream=ADDRESS:PORT');
  const { address, family, port } = bound;
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}
