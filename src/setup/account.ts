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

/** By this comment an account is known as one that we made. */
export const ourComment = 'Firebreak gateway';

export const isOurs = ({ comment }: Account): boolean => comment === ourComment;

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
export function commandToAdd(root: string, name: string, home: string, shell: string): string[] {
  const looks = ['--home-dir', home, '--no-create-home', '--shell', shell, '--comment', ourComment];
  return ['useradd', ...inRoot(root), '--system', '--user-group', ...looks, name];
}

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
