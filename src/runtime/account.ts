import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** An account, as passwd has it. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
  comment: string;
  home: string;
  shell: string;
}

/** These comments mark the accounts that we created: one accepts alarms, the other applies them. */
export const gatewayComment = 'Firebreak gateway';
export const ownerComment = 'Firebreak';

export const isOurs = ({ comment }: Account): boolean => comment === gatewayComment || comment === ownerComment;

export function readAccounts(root: string): Account[] {
  return read(join(root, 'etc/passwd'))
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length === 7)
    .map(([name = '', , uid, gid, comment = '', home = '', shell = '']) => ({
      name,
      uid: Number(uid),
      gid: Number(gid),
      comment,
      home,
      shell,
    }));
}

/** Creates a system account without a password, whose only command is the given one. */
export function commandToAdd(root: string, { name, home, shell, comment }: Omit<Account, 'uid' | 'gid'>): string[] {
  const settings = ['--home-dir', home, '--no-create-home', '--shell', shell, '--comment', comment];
  // Userdel leaves a group that has other members.
  const hasGroup = new RegExp(`^${name}:`, 'm').test(read(join(root, 'etc/group')));
  const group = hasGroup ? ['--gid', name] : ['--user-group'];
  return ['useradd', ...inRoot(root), '--system', ...group, ...settings, name];
}

/** Changes the home of an account of ours, and leaves the files in the old one. */
export const commandToMove = (root: string, name: string, home: string): string[] => [
  ...['usermod', ...inRoot(root), '--home', home, name],
];

/** Removes the account, but not its folder. */
export const commandToRemove = (root: string, name: string): string[] => ['userdel', ...inRoot(root), name];

const inRoot = (root: string): string[] => (root === '/' ? [] : ['--prefix', root]);

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // this root has no accounts yet
  }
}
