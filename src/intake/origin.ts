import { userInfo } from 'node:os';
import { isHost, parseAddress } from '../core/address.js';

/** The caller as recorded in ledger and audit log: sshd provides the address of its client. */
export function findOrigin(env: NodeJS.ProcessEnv = process.env): string {
  const [address] = (env['SSH_CLIENT'] ?? '').split(' ');
  const user = findUser(env);
  return address ? `${user}, by ssh from ${address.replace(/[^0-9A-Fa-f.:%a-z]/g, '?')}` : `${user}, on this host`;
}

/** The address of the SSH client that calls us, in canonical spelling; undefined if there is none. */
export function findCaller(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const [text = ''] = (env['SSH_CLIENT'] ?? '').split(' ');
  const parsed = parseAddress(text.replace(/%.*/, '').replace(/^::ffff:(?=\d+\.)/i, ''));
  return parsed.ok && isHost(parsed.address) ? parsed.address.text : undefined;
}

/** The login name of the person: under sudo, of the one who called it. */
export function findUser(env: NodeJS.ProcessEnv = process.env): string {
  const person = env['SUDO_USER'];
  if (person !== undefined && /^[A-Za-z0-9._@-]{1,64}\$?$/.test(person)) return person;
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`; // a container's user may have no name
  }
}
