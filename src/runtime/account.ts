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

/** By these comments an account is known as one that we made: it takes alarms, or applies them. */
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

/** Makes a system account without a password, whose only command is the given one. */
export function commandToAdd(root: string, { name, home, shell, comment }: Omit<Account, 'uid' | 'gid'>): string[] {
  const looks = ['--home-dir', home, '--no-create-home', '--shell', shell, '--comment', comment];
  return ['useradd', ...inRoot(root), '--system', '--user-group', ...looks, name];
}

/** Gives an account of ours another home, and leaves what is in the old one. */
export const commandToMove = (root: string, name: string, home: string): string[] => [
  ...['usermod', ...inRoot(root), '--home', home, name],
];

/** Takes the account out, and leaves its folder. */
export const commandToRemove = (root: string, name: string): string[] => ['userdel', ...inRoot(root), name];

const inRoot = (root: string): string[] => (root === '/' ? [] : ['--prefix', root]);

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // a root that has no accounts yet
  }
}
