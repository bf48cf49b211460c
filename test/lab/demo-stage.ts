import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { startFirewall, type Firewall } from './firewall.js';
import { canMount } from './namespace.js';
import { packageRoot } from './package-root.js';
import { endAll } from './processes.js';
import { makeKey, startSshd, type Sshd } from './sshd.js';

/** What the SIEM tells: the words its policy fills into the command. */
export interface DemoAlarm {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
}

/** How the call from the SIEM went. */
export interface Call {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

/** What is added to a configuration. */
interface Keys {
  readonly firewalls?: object;
  readonly [key: string]: unknown;
}

/** The three machines of the demo, each on this one: a SIEM, an Ansible host and a firewall. */
export interface Stage {
  /** Holds all of it: the Ansible host's home is `ansible` in it, the SIEM's folder `siem`. */
  readonly folder: string;
  readonly firewall: Firewall;
  /** Process ids of the two SSH servers, whose children all remote work is. */
  readonly servers: readonly number[];
  /** How the SIEM logs in: by sshpass as OSSIM's users do, or by key where no account of our own can be made. */
  readonly login: 'password' | 'key';
  /** What OSSIM hands to `sh -c`. */
  readonly policyCommand: (alarm: DemoAlarm) => string;
  /** What the script on the SIEM then runs. */
  readonly sshCommand: (alarm: DemoAlarm) => string;
  /** Whether runs use a warm runner; they do not at first. */
  setWarm(isWarm: boolean): void;
  /** Adds to the configuration of the Ansible host, whose firewall is `edge`. */
  configure(keys: Keys): void;
  /** Runs the program on the Ansible host, as its administrator does. */
  firebreak(args: readonly string[]): Promise<Call>;
  /** Starts `firebreak serve` there, on a free port. Gives its address. */
  serve(): Promise<string>;
  /** Rejects where the stage is closed meanwhile. */
  fire(alarm: DemoAlarm): Promise<Call>;
  /** Ends every process of the stage and removes its folder. Idempotent. */
  close(): Promise<void>;
  /** What still tells of the stage: its folder, or a process that names it. */
  findLeftovers(): string[];
}

/** What the script on the SIEM adds to an alarm: interface, type, family and description. */
const rest = 'wan block inet blocked for ssh anomaly';
const user = 'siem';
const password = 'a password that only this sshd knows';

/** Builds the stage; leaves nothing where it cannot. */
export async function openStage(): Promise<Stage> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fbd-'));
  const releases: (() => Promise<void>)[] = [];
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= release(folder, releases));
  try {
    const firewall = await startFirewall({ root: path.join(folder, 'firewall') });
    releases.push(() => firewall.stop());
    const login = canMount() ? 'password' : 'key';
    const host = await startAnsibleHost(path.join(folder, 'ansible'), path.join(folder, 'siem'), firewall, login);
    releases.push(() => host.stop());
    const { policyCommand, sshCommand } = setUpSiem(path.join(folder, 'siem'), host, login);
    const fire = async (alarm: DemoAlarm): Promise<Call> => {
      const made = await call(policyCommand(alarm), host.mark);
      if (closing !== undefined) throw new Error('The stage was closed while an alarm was on its way.');
      return made;
    };
    const configFile = path.join(folder, 'ansible/firebreak.yml');
    const administrator: NodeJS.ProcessEnv = {
      ...{ ...process.env, FIREBREAK_CONFIG: configFile, HOME: path.join(folder, 'ansible') },
      PATH: findPath(path.join(folder, 'ansible')),
    };
    const programFile = path.join(folder, 'ansible/bin/firebreak');
    return {
      folder,
      firewall,
      servers: [firewall.pid(), host.pid()],
      login,
      policyCommand,
      sshCommand,
      setWarm: (isWarm) =>
        writeFileSync(configFile, renderConfig(path.join(folder, 'ansible'), firewall, { ansible: toAnsible(isWarm) })),
      configure: (keys) => writeFileSync(configFile, renderConfig(path.join(folder, 'ansible'), firewall, keys)),
      firebreak: (args) => collect(spawn(programFile, args, { ...piped, env: administrator })),
      serve: async () => {
        const server = spawn(programFile, ['serve', '--listen', '127.0.0.1:0'], { ...piped, env: administrator });
        releases.push(() => endServer(server));
        return findAddress(server);
      },
      fire,
      close,
      findLeftovers: () => findLeftovers(folder),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The last started goes first: an Ansible run ends before the firewall it talks to. */
async function release(folder: string, releases: readonly (() => Promise<void>)[]): Promise<void> {
  try {
    for (const each of releases.toReversed()) await each();
    // A run that is torn from its launcher goes on in a group of its own, and may be starting a process just now.
    for (let rounds = 0; rounds < 2; rounds += 1) await endAll(findNaming(folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The processes that name the folder in their words or environment, as all of a stage's do. */
function findNaming(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => ['cmdline', 'environ'].some((file) => readProc(pid, file).includes(folder)))
    .map(Number);
}

function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // it ended meanwhile, or it is another user's
  }
}

const findLeftovers = (folder: string): string[] => [
  ...(existsSync(folder) ? [folder] : []),
  ...findNaming(folder).map((pid) => `process ${pid}`),
];

/** Ends with where setup.sh puts an Ansible if it finds none on PATH. */
const findPath = (folder: string): string =>
  [
    path.join(folder, 'bin'),
    process.env['PATH'] ?? '/usr/bin:/bin',
    path.join(packageRoot, '.tools/ansible-latest/bin'),
  ].join(':');

async function startAnsibleHost(
  folder: string,
  siem: string,
  firewall: Firewall,
  login: Stage['login'],
): Promise<Sshd> {
  for (const each of [folder, siem, path.join(folder, 'bin')]) mkdirSync(each, { mode: 0o700 });
  writeScript(path.join(folder, 'bin/firebreak'), [
    `exec '${process.execPath}' '${path.join(packageRoot, 'dist/cli.js')}' "$@"`,
  ]);
  const config = path.join(folder, 'firebreak.yml');
  writeFileSync(config, renderConfig(folder, firewall), { mode: 0o600 });
  return startSshd({
    folder,
    environment: { FIREBREAK_CONFIG: config, PATH: findPath(folder) },
    ...(login === 'password'
      ? { passwordAccount: { user, password } }
      : { authorizedKeys: [await makeKey(path.join(siem, 'id_ed25519'))] }),
  });
}

async function endServer(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.kill('SIGTERM');
  await once(server, 'exit');
}

/** Waits for the line in which `firebreak serve` tells where it listens. */
async function findAddress(server: ChildProcess): Promise<string> {
  let said = '';
  for (const stream of [server.stdout, server.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (said += text));
  for (;;) {
    const [, url] = /listening on (\S+);/.exec(said) ?? [];
    if (url !== undefined) return url;
    if (server.exitCode !== null || server.signalCode !== null) throw new Error(`The server did not start: ${said}`);
    await sleep(50);
  }
}

const toAnsible = (isWarm: boolean) => ({ timeout: '5m', warm: isWarm ? '5m' : 0 });

/** The configuration that an administrator would write, patience with a busy machine, and the lab's own paths. */
function renderConfig(folder: string, firewall: Firewall, { firewalls = {}, ...keys }: Keys = {}): string {
  return stringify({
    state_dir: path.join(folder, 'state'),
    ansible: toAnsible(false),
    ...keys,
    firewalls: {
      ...firewalls,
      edge: {
        host: firewall.host,
        port: firewall.port,
        user: firewall.user,
        private_key_file: firewall.privateKeyFile,
        known_hosts_file: firewall.knownHostsFile,
        vars: firewall.vars,
      },
    },
  });
}

function setUpSiem(folder: string, host: Sshd, login: Stage['login']) {
  writeFileSync(path.join(folder, 'password'), `${password}\n`, { mode: 0o600 });
  const sshConfig = [
    'Host ansible-host',
    `  HostName ${host.host}`,
    `  Port ${host.port}`,
    `  User ${host.user}`,
    `  UserKnownHostsFile ${host.knownHostsFile}`,
    '  StrictHostKeyChecking yes',
    login === 'password'
      ? '  PubkeyAuthentication no'
      : `  IdentityFile ${path.join(folder, 'id_ed25519')}\n  IdentitiesOnly yes`,
  ];
  writeFileSync(path.join(folder, 'ssh_config'), `${sshConfig.join('\n')}\n`);

  const ssh = `${login === 'password' ? 'sshpass -f password ' : ''}ssh -F ssh_config ansible-host`;
  const sshLine = (...words: (string | number)[]): string => `${ssh} firebreak block ${words.join(' ')} ${rest}`;
  const script = path.join(folder, 'alarm');
  writeScript(script, [
    'umask 077 # OSSIM calls with 0',
    `cd '${folder}' || exit 1`,
    `exec ${sshLine('"$1"', '"$2"', '"$3"')}`,
  ]);
  return {
    policyCommand: ({ source, destination, port }: DemoAlarm) => `${script} ${source} ${destination} ${port}`,
    sshCommand: ({ source, destination, port }: DemoAlarm) => sshLine(source, destination, port),
  };
}

/** As OSSIM's daemon does it: `sh -c`, from the root folder, umask 0. Only that it throws the output away is left out. */
function call(command: string, mark: Readonly<Record<string, string>>): Promise<Call> {
  const umask = process.umask(0);
  const child = spawn('/bin/sh', ['-c', command], {
    ...piped,
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '', ...mark },
  });
  process.umask(umask);
  return collect(child);
}

const piped: { stdio: ['ignore', 'pipe', 'pipe'] } = { stdio: ['ignore', 'pipe', 'pipe'] };

function collect(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Call> {
  const started = performance.now();
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (said[name] += text));
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...said, ms: performance.now() - started }));
  });
}

function writeScript(file: string, lines: readonly string[]): void {
  writeFileSync(file, ['#!/bin/sh', ...lines, ''].join('\n'));
  chmodSync(file, 0o700);
}
