import { closeSync, openSync } from 'node:fs';
import { execa } from 'execa';
import { killAllSync, signal, killStragglers } from './processes.js';

/** How an ansible-playbook process ended. */
export type ProcessResult =
  | { kind: 'exited'; code: number }
  | { kind: 'timeout'; ms: number }
  | { kind: 'interrupted'; signal: string }
  | { kind: 'missing'; command: string };

export interface ProcessOptions {
  command: string;
  args: readonly string[];
  env: Record<string, string>;
  folder: string;
  runId: string;
  stdoutFile: string;
  stderrFile: string;
  timeoutMs: number;
  /** Aborted, with the signal's name as its reason, when the launcher receives a signal. */
  stop: AbortSignal;
  /** How long the group may take to exit after SIGINT. */
  graceMs?: number;
}

/** A process that was started, in a group of its own. */
export interface Running {
  pid: number;
  /** Its exit code; -1 if a signal ended it. */
  ended: Promise<number>;
}

/** Starts the program of a run; undefined if there is no such program. */
type Start = (options: ProcessOptions) => Promise<Running | undefined>;

/**
 * Runs one program to its end: own process group, output to files, no stdin, a time limit.
 * When it resolves, no process of the run is left.
 *
 *   running --exit--> exited
 *   running --time limit | stop--> stopping (SIGINT to the group) --grace--> SIGKILL to the group
 *   any end --> SIGTERM, then SIGKILL to what left the group
 *   the launcher itself exits --> SIGKILL to all of the run
 */
export async function runProcess(options: ProcessOptions, start: Start = startProgram): Promise<ProcessResult> {
  const { command, runId, timeoutMs, stop, graceMs = 3000 } = options;
  if (stop.aborted) return { kind: 'interrupted', signal: String(stop.reason) };
  let cause: ProcessResult | undefined;
  let pid: number | undefined;
  const timers: NodeJS.Timeout[] = [];
  const interrupt = (group: number): void => {
    signal(-group, 'SIGINT');
    timers.push(setTimeout(() => signal(-group, 'SIGKILL'), graceMs));
  };
  const end = (reason: ProcessResult): void => {
    if (cause !== undefined) return;
    cause = reason;
    if (pid !== undefined) interrupt(pid);
  };
  const onStop = (): void => end({ kind: 'interrupted', signal: String(stop.reason) });
  const onExit = (): void => killAllSync(runId);
  process.prependListener('exit', onExit); // before the run's folder is cleaned
  timers.push(setTimeout(() => end({ kind: 'timeout', ms: timeoutMs }), timeoutMs));
  stop.addEventListener('abort', onStop, { once: true });
  try {
    const running = await start(options);
    if (running === undefined) return cause ?? { kind: 'missing', command };
    pid = running.pid;
    if (cause !== undefined) interrupt(pid);
    const code = await running.ended;
    return cause ?? { kind: 'exited', code };
  } finally {
    for (const timer of timers) clearTimeout(timer);
    stop.removeEventListener('abort', onStop);
    await killStragglers(runId);
    process.off('exit', onExit);
  }
}

/** Starts the program itself. */
export function startProgram(options: ProcessOptions): Promise<Running | undefined> {
  const { command, args, env, folder } = options;
  // Files instead of pipes: a process of the run that holds a pipe open would delay us.
  const stdout = openSync(options.stdoutFile, 'a', 0o600);
  const stderr = openSync(options.stderrFile, 'a', 0o600);
  const child = execa(command, args, {
    cwd: folder,
    env,
    extendEnv: false,
    detached: true,
    cleanup: false, // execa would kill the child alone, without its group and without a grace period
    stdin: 'ignore',
    stdout: stdout as 1, // any descriptor is accepted, although execa's types name only a few
    stderr: stderr as 2,
    buffer: false,
    reject: false,
  });
  closeSync(stdout);
  closeSync(stderr);
  const ended = child.then(({ exitCode }) => exitCode ?? -1);
  return Promise.resolve(child.pid === undefined ? undefined : { pid: child.pid, ended });
}
