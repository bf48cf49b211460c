import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { withMounts, type PasswordAccount, type SmallDisk } from './namespace.js';
import { endAll, findInLab, findTree, isSshd, labVariable, signalAll } from './processes.js';

const run = promisify(execFile);
const host = '127.0.0.1';

export interface SshdOptions {
  /** Holds keys, configuration and log; also the mark by which its processes are known. Must exist. */
  readonly folder: string;
  readonly port?: number;
  /** Lines for authorized_keys. */
  readonly authorizedKeys?: readonly string[];
  /** An account with a password that only this server knows. Takes root and mounts (`canMount`). */
  readonly passwordAccount?: Omit<PasswordAccount, 'home'>;
  readonly forceCommand?: string;
  /** HOME of the sessions; the folder itself by default. */
  readonly home?: string;
  /** More variables for the sessions. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly disk?: SmallDisk | undefined;
}

export interface Sshd {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Holds the host key this server started with. */
  readonly knownHostsFile: string;
  readonly logFile: string;
  /** Variables that make a process one of this server's, so that `stop` ends it too. */
  readonly mark: Readonly<Record<string, string>>;
  /** Of the listening process; throws while it is away. */
  pid(): number;
  /** Ends the server and its connections: the port then refuses. What runs detached goes on. */
  goAway(): Promise<void>;
  /** Undoes goAway and freeze. */
  comeBack(): Promise<void>;
  /** Stops the server in its tracks: connections are taken by the kernel and then hang. */
  freeze(): void;
  /** Gives the server another host key; known_hosts stays as it was. */
  changeHostKey(): Promise<void>;
  /** Ends the server and all that runs in its sessions or came from them. The folder stays. */
  stop(): Promise<void>;
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No free port.');
  return address.port;
}

/** Makes a key pair where there is none; gives the public half. */
export async function makeKey(file: string): Promise<string> {
  if (!existsSync(file)) await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'lab', '-f', file]);
  return readFileSync(`${file}.pub`, 'utf8').trim();
}

async function findVersion(): Promise<number> {
  const { stderr } = await run('ssh', ['-V']);
  return Number(/OpenSSH_(\d+\.\d+)/.exec(stderr)?.[1] ?? 0);
}

function renderConfig(options: SshdOptions, port: number, version: number): string {
  const { folder } = options;
  const session = { ...options.environment, HOME: options.home ?? folder, [labVariable]: folder };
  const variables = Object.entries(session).map(([name, value]) => `"${name}=${value}"`);
  return [
    `ListenAddress ${host}:${port}`,
    `HostKey ${folder}/host_key`,
    `AuthorizedKeysFile ${folder}/authorized_keys`,
    'PidFile none',
    'StrictModes no', // the folder lies below /tmp, which all may write
    'UsePAM no',
    'PermitRootLogin yes',
    `PasswordAuthentication ${options.passwordAccount ? 'yes' : 'no'}`,
    'KbdInteractiveAuthentication no',
    'UseDNS no',
    'PrintMotd no',
    'PrintLastLog no',
    'MaxStartups 200',
    'MaxSessions 200',
    'MaxAuthTries 20',
    'Subsystem sftp internal-sftp',
    `SetEnv ${variables.join(' ')}`,
    ...(version >= 9.8 ? ['PerSourcePenalties no'] : []), // or tests with a wrong key lock out the others
    ...(options.forceCommand ? [`ForceCommand ${options.forceCommand}`] : []),
    '',
  ].join('\n');
}

async function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (data) => settle(data.toString().startsWith('SSH-')));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
  });
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/**
 * Starts a real sshd on loopback, as the current user, with a configuration and host key of its own.
 * Throws with the server's log when it does not come up. The caller ends it by `stop()`.
 */
export async function startSshd(options: SshdOptions): Promise<Sshd> {
  const { folder, passwordAccount } = options;
  const port = options.port ?? (await findFreePort());
  const user = passwordAccount?.user ?? userInfo().username;
  const logFile = path.join(folder, 'sshd.log');
  const keyFile = path.join(folder, 'host_key');
  const knownHostsFile = path.join(folder, 'known_hosts');
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 }); // sshd insists on it
  const recordHostKey = `[${host}]:${port} ${(await makeKey(keyFile)).split(' ').slice(0, 2).join(' ')}\n`;
  writeFileSync(knownHostsFile, recordHostKey);
  writeFileSync(path.join(folder, 'authorized_keys'), [...(options.authorizedKeys ?? []), ''].join('\n'));
  writeFileSync(path.join(folder, 'sshd_config'), renderConfig(options, port, await findVersion()));
  const account: PasswordAccount | undefined = passwordAccount && { ...passwordAccount, home: options.home ?? folder };
  const command = ['/usr/sbin/sshd', '-D', '-e', '-f', path.join(folder, 'sshd_config')];
  const [program = '', ...args] = withMounts(command, folder, { account, disk: options.disk });
  let child: ChildProcess | undefined;

  const pid = (): number => {
    if (child?.pid === undefined || hasEnded(child)) throw new Error(`The sshd on port ${port} is away.`);
    return child.pid;
  };

  const findSshds = (): number[] => (child?.pid === undefined ? [] : findTree(child.pid).filter(isSshd));

  const start = async (): Promise<void> => {
    const log = openSync(logFile, 'a');
    const environment = { PATH: process.env['PATH'] ?? '', TMPDIR: process.env['TMPDIR'] ?? '', [labVariable]: folder };
    child = spawn(program, args, { detached: true, stdio: ['ignore', log, log], env: environment });
    closeSync(log);
    child.unref();
    for (let tries = 0; !(await answers(port)); tries += 1) {
      if (hasEnded(child) || tries > 500) throw new Error(`sshd did not start:\n${readFileSync(logFile, 'utf8')}`);
      await sleep(10);
    }
  };

  const goAway = async (): Promise<void> => {
    await endAll(findSshds());
  };

  const comeBack = async (): Promise<void> => {
    signalAll(findSshds(), 'SIGCONT');
    if (child === undefined || hasEnded(child)) await start();
  };

  const stop = async (): Promise<void> => {
    // Twice: what was starting up while the first look was taken is found by the second.
    for (let rounds = 0; rounds < 2; rounds += 1) {
      await endAll([...new Set([...(child?.pid === undefined ? [] : findTree(child.pid)), ...findInLab(folder)])]);
    }
  };

  const changeHostKey = async (): Promise<void> => {
    await goAway();
    for (const file of [keyFile, `${keyFile}.pub`]) rmSync(file);
    await makeKey(keyFile);
    await start();
  };

  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  const freeze = (): void => signalAll(findSshds(), 'SIGSTOP');
  const mark = { [labVariable]: folder };
  return { host, port, user, knownHostsFile, logFile, mark, pid, goAway, comeBack, freeze, changeHostKey, stop };
}
