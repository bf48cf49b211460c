import { spawn } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { isAbsolute, join } from 'node:path';
import { createInterface } from 'node:readline';
import { realpathSync } from 'node:fs';
import * as z from 'zod';
import { findPackageRoot } from '../../config/package-root.js';
import type { ProcessOptions, Running } from './process.js';

/** How long the runner may take to hear a call, and its fork to be ready. After that the run is cold. */
const hearMs = 300;
const forkMs = 3000;

/** A path that is longer cannot be a socket. */
const maxSocketPath = 107;

/** In the runner's own environment, where a run has its id. */
const placeholder = '0'.repeat(26);

/** A place for the warm runner, and what it is made from. */
export interface WarmPlace {
  /** `state_dir/warm`, with the socket. */
  folder: string;
  /** ansible-playbook, links resolved. */
  command: string;
  /** What runs it, by its first line. */
  python: readonly string[];
  idleMs: number;
}

/** Why a run starts ansible-playbook itself; `isGone` if no runner is there, so that one should be started. */
export interface Cold {
  cold: string;
  isGone: boolean;
}

const answer = z.union([
  z.strictObject({ pid: z.int().min(2) }),
  z.strictObject({ no: z.string().max(200) }),
  z.strictObject({ code: z.int().min(-1).max(255) }),
]);
const status = z.strictObject({ pid: z.int(), calls: z.int(), since: z.int() });
export type RunnerStatus = z.infer<typeof status>;

/** Finds where the runner belongs; or why there can be none. */
export function findWarmPlace(
  stateDir: string,
  { idleMs, command, path }: { idleMs: number; command: string; path: string },
): WarmPlace | string {
  if (idleMs === 0) return 'ansible.warm is 0';
  const folder = join(stateDir, 'warm');
  if (Buffer.byteLength(socketOf(folder)) + '.new'.length > maxSocketPath) return 'the path of state_dir is too long';
  if (!isOurs(stateDir, 0o022)) return 'state_dir does not belong to this account alone';
  const program = findCommand(command, path);
  const python = program === undefined ? undefined : findInterpreter(program);
  if (program === undefined || python === undefined) return `${command} is not a Python program`;
  return { folder, command: program, python, idleMs };
}

const socketOf = (folder: string): string => join(folder, 'socket');

/** Whether it belongs to this account, and others lack these permissions. */
function isOurs(path: string, mode: number): boolean {
  try {
    const found = lstatSync(path);
    return found.uid === process.geteuid?.() && (found.mode & mode) === 0;
  } catch {
    return false;
  }
}

function findCommand(command: string, path: string): string | undefined {
  const files = command.includes('/') ? [command] : path.split(':').map((folder) => join(folder, command));
  const found = files.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return isAbsolute(file);
    } catch {
      return false;
    }
  });
  return found === undefined ? undefined : realpathSync(found);
}

function findInterpreter(program: string): string[] | undefined {
  const line = /^#! *(\/\S*python[0-9.]*)((?: +-\w+)*) *\n/.exec(readFileSync(program, 'latin1').slice(0, 300));
  if (line?.[1] === undefined) return undefined;
  return [line[1], ...(line[2] ?? '').split(' ').filter((option) => option !== '')];
}

/**
 * Has the runner fork a process for the run. The process waits until it is told to go, so that after a late answer
 * nothing runs twice.
 */
export async function startWarm(place: WarmPlace, options: ProcessOptions): Promise<Running | Cold> {
  const { args, env, folder, stdoutFile, stderrFile } = options;
  const line = await callRunner(place.folder, {
    command: place.command,
    args,
    env,
    folder,
    stdout: stdoutFile,
    stderr: stderrFile,
    namespaces: ['mnt', 'net', 'pid'].map((name) => readlinkSync(`/proc/self/ns/${name}`)),
  });
  if ('cold' in line) return line;
  const { connection, nextLine } = line;
  const first = answer.safeParse(line.first);
  if (!first.success || !('pid' in first.data)) {
    connection.destroy();
    const no = first.success && 'no' in first.data ? first.data.no : 'not the answer of a runner';
    return { cold: no, isGone: /changed|another (version|environment|ansible)/.test(no) };
  }
  connection.write('go\n');
  const ended = nextLine().then((last) => {
    connection.destroy();
    const parsed = answer.safeParse(last);
    return parsed.success && 'code' in parsed.data ? parsed.data.code : -1; // a signal ended it
  });
  return { pid: first.data.pid, ended };
}

/** Has the runner end, and the next run start another one: what kept a run from ending may lie in what they share. */
export function retireRunner({ folder }: WarmPlace): void {
  rmSync(socketOf(folder), { force: true }); // the runner ends when it has lost its socket
}

/** Asks the runner how it is, which keeps it from ending as idle. Undefined if none answers. */
export async function lookAtRunner(stateDir: string): Promise<RunnerStatus | undefined> {
  const line = await callRunner(join(stateDir, 'warm'), { look: true });
  if ('cold' in line) return undefined;
  line.connection.destroy();
  const parsed = status.safeParse(line.first);
  return parsed.success ? parsed.data : undefined;
}

interface Call {
  connection: Socket;
  first: unknown;
  /** Undefined at the end of the connection. */
  nextLine: () => Promise<unknown>;
}

async function callRunner(folder: string, request: object): Promise<Call | Cold> {
  const socket = socketOf(folder);
  if (!isOurs(folder, 0o077) || !isOurs(socket, 0o077)) return { cold: 'no runner is there', isGone: true };
  const connection = connect(socket);
  const failure: { code?: unknown } = {};
  connection.on('error', (error) => Object.assign(failure, 'code' in error && { code: error.code }));
  const lines = createInterface({ input: connection });
  lines.on('error', () => undefined); // the connection's
  connection.on('close', () => lines.close()); // after an error, the lines would not end
  const iterator = lines[Symbol.asyncIterator]();
  const nextLine = async (): Promise<unknown> => parseLine((await iterator.next().catch(() => undefined))?.value);
  connection.write(`${JSON.stringify({ version: 1, ...request })}\n`);
  const heard = await within(hearMs, nextLine());
  const first = heard === 'late' || heard === undefined ? heard : await within(forkMs, nextLine());
  if (first !== 'late' && first !== undefined) return { connection, first, nextLine };
  connection.destroy();
  if (first === 'late') return { cold: 'the runner does not answer', isGone: false };
  return { cold: failure.code === 'ECONNREFUSED' ? 'no runner is there' : 'the runner ended', isGone: true };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function parseLine(line: unknown): unknown {
  try {
    return typeof line === 'string' ? JSON.parse(line) : undefined;
  } catch {
    return null; // not JSON, and not the end either
  }
}

/**
 * Starts the runner for the runs to come. It ends by itself; if another one is there, at once.
 * @param env of a run: of that, only what all runs share reaches the runner
 */
export function spawnRunner({ folder, command, python, idleMs }: WarmPlace, env: Record<string, string>): void {
  // A service of systemd would end it with the run, after all that its start has cost.
  if (process.env['INVOCATION_ID'] !== undefined) return;
  try {
    mkdirSync(folder, { mode: 0o700, recursive: true });
    if (!isOurs(folder, 0o077)) return;
    const log = openSync(join(folder, 'log'), 'w', 0o600);
    const playbooks = join(findPackageRoot(), 'playbooks');
    const script = join(playbooks, 'runner/warm_runner.py');
    const [program = '', ...options] = python;
    const child = spawn(program, [...options, script, folder, command, playbooks, String(idleMs / 1000)], {
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log],
      env: toRunnerEnvironment(env, folder),
    });
    child.once('error', () => undefined); // runs stay cold
    child.unref();
    closeSync(log);
  } catch {
    return; // a full or read-only disk: runs stay cold
  }
}

function toRunnerEnvironment(env: Record<string, string>, folder: string): Record<string, string> {
  const home = join(folder, 'home');
  const ofRun = /^(FIREBREAK_EVENTS|ANSIBLE_SSH_CONTROL_PATH_DIR|ANSIBLE_(CONNECTION|BECOME)_PASSWORD_FILE)$/;
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !ofRun.test(name))),
    FIREBREAK_RUN_ID: placeholder,
    ANSIBLE_HOME: home,
    ANSIBLE_LOCAL_TEMP: home,
  };
}
