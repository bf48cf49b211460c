import { userInfo } from 'node:os';
import { isHost, parseAddress } from '../core/address.js';

/** The caller as recorded in ledger and audit log: sshd provides the address of its client. */
export function findOrigin(env: NodeJS.ProcessEnv = process.env): string {
  const [address] = (env['SSH_CLIENT'] ?? '').split(' ');
  const user = findUser();
  return address ? `${user}, by ssh from ${address.replace(/[^0-9A-Fa-f.:%a-z]/g, '?')}` : `${user}, on this host`;
}

/** The address of the SSH client that calls us, in canonical spelling; undefined if there is none. */
export function findCaller(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const [text = ''] = (env['SSH_CLIENT'] ?? '').split(' ');
  const parsed = parseAddress(text.replace(/%.*/, '').replace(/^::ffff:(?=\d+\.)/i, ''));
  return parsed.ok && isHost(parsed.address) ? parsed.address.text : undefined;
}

function findUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`; // a container's user may have no name
  }
}
