import { userInfo } from 'node:os';

/** Who calls us, in a few words for the record: sshd tells the address of its client. */
export function findOrigin(env: NodeJS.ProcessEnv = process.env): string {
  const [address] = (env['SSH_CLIENT'] ?? '').split(' ');
  const user = findUser();
  return address ? `${user}, by ssh from ${address.replace(/[^0-9A-Fa-f.:%a-z]/g, '?')}` : `${user}, on this host`;
}

function findUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`; // a container's user need not have a name
  }
}
