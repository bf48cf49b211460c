import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** An account that exists only for one sshd: the machine's own files are not touched. */
export interface PasswordAccount {
  readonly user: string;
  readonly password: string;
  /** Its home; the folder must exist. */
  readonly home: string;
  /** /bin/sh by default. */
  readonly shell?: string;
}

/** A small disk of its own over a folder, filled with what `seed` holds. */
export interface SmallDisk {
  readonly folder: string;
  readonly seed: string;
  readonly kilobytes: number;
}

/** Whether this machine lets us have mounts of our own: it takes root, and in a container the right to mount. */
export function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', '--propagation', 'private', 'mount', '-t', 'tmpfs', 'lab', '/mnt'], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

function hashPassword(password: string): string {
  try {
    return execFileSync('openssl', ['passwd', '-6', '-stdin'], { input: password, encoding: 'utf8' }).trim();
  } catch {
    const code = 'chomp($p = <STDIN>); print crypt($p, q($6$firebreaklab$))'; // every Debian has perl, not openssl
    return execFileSync('perl', ['-e', code], { input: password, encoding: 'utf8' });
  }
}

function writeAccounts(folder: string, { user, password, home, shell = '/bin/sh' }: PasswordAccount): void {
  const { uid, gid } = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const own = [`${user}:x:${uid}:${gid}::${home}:${shell}`]; // first, so that the uid's home is the account's too
  const known = readFileSync('/etc/passwd', 'utf8');
  const privsep = /^sshd:/m.test(known) ? [] : ['sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin'];
  writeFileSync(path.join(folder, 'passwd'), [...own, ...privsep, known].join('\n'), { mode: 0o644 });
  // 20000: the day of the last change; without one the password counts as expired.
  const shadow = `${user}:${hashPassword(password)}:20000:0:99999:7:::\n`;
  writeFileSync(path.join(folder, 'shadow'), shadow, { mode: 0o600 });
}

/** The command that runs `command` with private mounts; the same command where none are wanted. */
export function withMounts(
  command: readonly string[],
  folder: string,
  { account, disk }: { account?: PasswordAccount | undefined; disk?: SmallDisk | undefined },
): readonly string[] {
  const steps: string[] = [];
  if (account) {
    writeAccounts(folder, account);
    for (const name of ['passwd', 'shadow']) steps.push(`mount --bind '${folder}/${name}' /etc/${name}`);
  }
  if (disk) {
    steps.push(`mount -t tmpfs -o size=${disk.kilobytes}k,mode=755 lab '${disk.folder}'`);
    steps.push(`cp -a '${disk.seed}/.' '${disk.folder}'`);
  }
  if (steps.length === 0) return command;
  const script = [...steps, 'exec "$@"'].join(' && ');
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', ...command];
}
