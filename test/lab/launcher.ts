import { spawn, type ChildProcess } from 'node:child_process';
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
import { setTimeout as sleep } from 'node:timers/promises';
import type { Firewall } from './firewall.js';
import { packageRoot } from './package-root.js';
import { endSync, findByWord, findNaming } from './processes.js';
import { isWarm, startWarmRunner } from './warm.js';

/** How one call of the program ended. */
export interface Ended {
  /** The exit code; null where a signal ended it. */
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A call under way. */
export interface Call {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

export interface Launcher {
  /** Holds all that follows; nothing else is written anywhere. */
  readonly folder: string;
  readonly configFile: string;
  readonly stateDir: string;
  readonly home: string;
  /** Writes the configuration anew: keys of the top level replace what was there. */
  configure(changes: object): void;
  /** Starts the built program with these words. */
  start(args: readonly string[], options?: CallOptions): Call;
  /** Starts it and waits for its end. */
  firebreak(args: readonly string[], options?: CallOptions): Promise<Ended>;
  /** The same with --json; fails where stdout is not exactly one JSON document. */
  json(args: readonly string[], options?: CallOptions): Promise<{ exit: number | null; answer: Answer }>;
  /** The same, where an error is what is awaited. */
  jsonError(args: readonly string[], options?: CallOptions): Promise<{ exit: number | null; answer: ErrorAnswer }>;
  /** Folders of all runs, oldest first. */
  runs(): string[];
  /** Waits until a run tells this in its events. Gives the run's folder. */
  waitForEvent(isIt: (event: RunEvent) => boolean): Promise<string>;
  remove(): void;
}

export interface CallOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly folder?: string;
  /** Another build of the program than this one's. */
  readonly program?: string;
  /** What starts it, such as a shell that sets limits first. */
  readonly prefix?: readonly string[];
}

export interface RunEvent {
  readonly event: string;
  readonly task?: string;
  readonly status?: string;
}

/** `block --json` (DESIGN, "Command line"). */
export interface Answer {
  readonly alarm: string;
  readonly state: string;
  readonly exit: number;
  readonly check?: boolean;
  readonly blocks: readonly AnswerBlock[];
  readonly run: { readonly id: string; readonly ms: number; readonly batch: number } | null;
}

export interface AnswerBlock {
  readonly id: string;
  readonly firewall: string;
  readonly state: string;
  readonly changed: boolean;
  readonly tracker: number;
  readonly source: string;
  readonly destination: string;
  readonly port: string;
  readonly protocol: string;
  readonly interface: string;
  readonly type: string;
  readonly ipprotocol: string;
  readonly description: string;
  readonly alarms: number;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly reason: string | null;
  readonly proof: string | null;
  readonly warning: string | null;
  readonly tags: readonly string[];
}

/** What every error looks like with --json. */
export interface ErrorAnswer {
  readonly error: { readonly code: string; readonly message: string; readonly exit: number };
}

/** The built program. */
export const program = path.join(packageRoot, 'dist/cli.js');

/** A module for NODE_OPTIONS=--import. */
export const toDataUrl = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;

/** One firewall of the lab as firebreak.yml names it. */
export function settingsOf(firewall: Firewall): Record<string, unknown> {
  return {
    host: firewall.host,
    port: firewall.port,
    user: firewall.user,
    private_key_file: firewall.privateKeyFile,
    known_hosts_file: firewall.knownHostsFile,
    interfaces: { lan: ['192.168.1.0/24'], wan: ['0.0.0.0/0', '::/0'] },
    vars: firewall.vars,
  };
}

/** Polls until it is so; fails with what was awaited. */
export async function waitUntil(what: string, isSo: () => boolean | Promise<boolean>, limitMs = 90_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`Not within ${limitMs / 1000} s: ${what}`);
    await sleep(20);
  }
}

/** Every file and folder below, with what is in it: equal listings mean that nothing was changed. */
export function listTree(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      return entry.isFile() ? `${file}: ${readFileSync(file, 'latin1')}` : file;
    })
    .sort();
}

/** Collects what a process writes, and its exit code. */
export async function waitForEnd(child: ChildProcess): Promise<Ended> {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => (said[name] += text));
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (exit) => resolve({ exit, ...said }));
  });
}

/** Lays out a configuration for these firewalls in a folder of its own. The caller ends it by `remove()`. */
export function makeLauncher(firewalls: Readonly<Record<string, object>>, config: object = {}): Launcher {
  const folder = mkdtempSync(path.join(tmpdir(), 'l-'));
  const configFile = path.join(folder, 'firebreak.yml');
  const stateDir = path.join(folder, 'state');
  const home = path.join(folder, 'home');
  mkdirSync(home);
  /** Where no firewall of the lab is, no run gets far. */
  const usesWarm = isWarm && Object.values(firewalls).some((firewall) => 'vars' in firewall);
  let keys: object = { state_dir: stateDir, firewalls, ...config };

  const configure = (changes: object): void => {
    keys = { ...keys, ...changes };
    const ansible = { warm: usesWarm ? '5m' : 0, ...('ansible' in keys && (keys.ansible as object)) };
    writeFileSync(configFile, `${JSON.stringify({ ...keys, ansible }, undefined, 2)}\n`); // JSON is YAML
    chmodSync(configFile, 0o600);
  };
  configure({});
  const settings: unknown = 'ansible' in config && config.ansible;
  const choosesWarm = typeof settings === 'object' && settings !== null && 'warm' in settings;
  if (usesWarm && !choosesWarm) startWarmRunner(stateDir);

  const start: Launcher['start'] = (args, options = {}) => {
    const [command = '', ...words] = [...(options.prefix ?? []), process.execPath, options.program ?? program, ...args];
    const child = spawn(command, words, {
      cwd: options.folder ?? folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'] ?? '',
        TMPDIR: process.env['TMPDIR'] ?? '',
        HOME: home,
        FIREBREAK_CONFIG: configFile,
        ...options.env,
      },
    });
    if (child.pid === undefined) throw new Error(`${command} did not start`);
    return { pid: child.pid, child, ended: waitForEnd(child) };
  };

  const firebreak: Launcher['firebreak'] = (args, options) => start(args, options).ended;

  const askForJson = async (args: readonly string[], options?: CallOptions) => {
    const { exit, stdout, stderr } = await firebreak([...args, '--json'], options);
    return { exit, document: parseDocument(stdout, stderr) };
  };

  const runs = (): string[] => {
    const all = path.join(stateDir, 'runs');
    if (!existsSync(all)) return [];
    return readdirSync(all)
      .sort()
      .map((name) => path.join(all, name));
  };

  const waitForEvent: Launcher['waitForEvent'] = async (isIt) => {
    let found: string | undefined;
    await waitUntil('the event in a run', () => {
      found = runs().find((run) => readEvents(run).some(isIt));
      return found !== undefined;
    });
    return found ?? '';
  };

  return {
    folder,
    configFile,
    stateDir,
    home,
    configure,
    start,
    firebreak,
    json: async (args, options) => {
      const { exit, document } = await askForJson(args, options);
      if (!('blocks' in document)) throw new Error(`not an answer: ${JSON.stringify(document)}`);
      return { exit, answer: document as Answer }; // its fields are what the tests look at
    },
    jsonError: async (args, options) => {
      const { exit, document } = await askForJson(args, options);
      if (!('error' in document)) throw new Error(`not an error: ${JSON.stringify(document)}`);
      return { exit, answer: document as ErrorAnswer }; // as above
    },
    runs,
    waitForEvent,
    remove: () => {
      endSync([...findNaming(path.join(stateDir, 'warm')), ...findWorkers(configFile)]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Workers that still try to send mail: one would make its state folder again. */
function findWorkers(configFile: string): number[] {
  const named = new Set(findNaming(configFile));
  return findByWord('--owner').filter((pid) => named.has(pid));
}

function parseDocument(stdout: string, stderr: string): object {
  try {
    return JSON.parse(stdout) as object; // every document of ours is one
  } catch {
    throw new Error(`stdout is not one JSON document: ${JSON.stringify(stdout)}; stderr: ${stderr}`);
  }
}

/** The events that a run has told so far. */
export function readEvents(run: string): RunEvent[] {
  const file = path.join(run, 'events.jsonl');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as RunEvent);
}
