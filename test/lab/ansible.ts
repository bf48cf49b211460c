import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Firewall } from './firewall.js';
import { packageRoot } from './package-root.js';
import { endAll, findTree } from './processes.js';
import { isWarm, runShared, sharedHome } from './warm.js';

const playbooks = path.join(packageRoot, 'playbooks');

/** A flow as the playbooks take it; the role fills in what is left out. */
export interface Flow {
  readonly type?: string;
  readonly interface?: string;
  readonly ipprotocol?: string;
  readonly protocol?: string;
  readonly source: string;
  readonly destination: string;
  readonly port?: string;
  readonly description?: string;
  readonly tracker?: number;
}

export interface PlaybookOptions {
  /** By name in playbooks/, or a path; apply by default. */
  readonly playbook?: string;
  readonly present?: readonly Flow[];
  readonly absent?: readonly Flow[];
  /** More extra variables, as they are: nothing is marked unsafe here. */
  readonly vars?: Readonly<Record<string, unknown>>;
  /** More inventory variables, for every host. */
  readonly hostVars?: Readonly<Record<string, unknown>>;
  /** More inventory variables, by host. */
  readonly varsOf?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** More arguments, such as --check. */
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** As an operator runs it: no configuration and no callback of ours. There are no events then. */
  readonly bare?: boolean;
}

/** What `set_stats` of the role promises. */
export interface RoleResult {
  readonly added: number[];
  readonly present: number[];
  readonly removed: number[];
  readonly absent: number[];
  readonly changed_by_hand: number[];
  readonly refused: readonly { readonly tracker: number; readonly code: string; readonly message: string }[];
  readonly proven: boolean;
  /** Who decides the packets of each flow that stands. */
  readonly proof: readonly { readonly tracker: number; readonly level: string; readonly message: string }[];
  readonly killed_states: number;
  /** Flows whose rule blocks the end behind a port forward. */
  readonly followed: readonly { readonly tracker: number; readonly destination: string; readonly port: string }[];
  readonly networks: readonly { readonly interface: string; readonly network: string }[];
}

/** A line of FIREBREAK_EVENTS. */
export interface Event {
  readonly event: string;
  readonly host?: string;
  readonly task?: string;
  readonly status?: string;
  readonly msg?: string | null;
  readonly error?: { readonly code: string; readonly message: string } | null;
  readonly hosts?: Readonly<Record<string, { readonly changed: number; readonly failures: number }>>;
  readonly custom?: Readonly<Record<string, { readonly firebreak?: unknown }>>;
}

export interface PlaybookRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** All that was printed. */
  readonly text: string;
  readonly events: readonly Event[];
  /** The result of the role for a host, if it came that far. */
  result(host?: string): RoleResult;
  /** Whatever stands under `firebreak` in the host's stats. */
  stats(host?: string): unknown;
  /** Whether Ansible counts a change on the host. */
  changed(host?: string): boolean;
  /** Code and sentence of the failure that counts: the last one. */
  error(host?: string): { readonly code: string; readonly message: string } | undefined;
  unreachable(host?: string): string | undefined;
}

const nameOf = (index: number): string => (index === 0 ? 'edge' : `edge${index + 1}`);

/** Bare runs have ssh's own key exchange; the others have the product's, which takes 0.7 s less. */
function buildSshArgs({ knownHostsFile }: Firewall, isBare: boolean): string {
  const settings = ['StrictHostKeyChecking=yes', `UserKnownHostsFile=${knownHostsFile}`, 'BatchMode=yes'];
  const all = isBare ? settings : [...settings, 'KexAlgorithms=curve25519-sha256'];
  return all.map((setting) => `-o ${setting}`).join(' ');
}

function renderInventory(firewalls: readonly Firewall[], options: PlaybookOptions): string {
  const hosts: Record<string, object> = {};
  for (const [index, firewall] of firewalls.entries()) {
    const name = nameOf(index);
    hosts[name] = {
      ansible_host: firewall.host,
      ansible_port: firewall.port,
      ansible_user: firewall.user,
      ansible_ssh_private_key_file: firewall.privateKeyFile,
      ansible_ssh_common_args: buildSshArgs(firewall, options.bare === true),
      ...firewall.vars,
      ...options.hostVars,
      ...options.varsOf?.[name],
    };
  }
  return JSON.stringify({ firewalls: { hosts } }, undefined, 1);
}

function readEvents(file: string): Event[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1); // a line being written has no end yet
  return lines.map((line) => JSON.parse(line) as Event); // our own callback wrote it
}

/** Sockets of ssh's masters lie with the first firewall: they end with its server. */
function controlFolder(firewall: Firewall): string {
  const folder = path.join(firewall.root, 'ssh/cp');
  mkdirSync(folder, { recursive: true });
  return folder;
}

function environmentOf(folder: string, control: string, options: PlaybookOptions): Record<string, string> {
  const ours = {
    ANSIBLE_CONFIG: path.join(playbooks, 'ansible.cfg'),
    ANSIBLE_CALLBACK_PLUGINS: path.join(playbooks, 'callback_plugins'),
    ANSIBLE_INVENTORY_ENABLED: 'yaml',
    ANSIBLE_TRANSPORT: 'ssh',
    FIREBREAK_EVENTS: path.join(folder, 'events.jsonl'),
  };
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    TMPDIR: process.env['TMPDIR'] ?? '/tmp',
    LC_ALL: 'C.UTF-8',
    ANSIBLE_HOME: path.join(folder, 'home'),
    ANSIBLE_LOCAL_TEMP: path.join(folder, 'tmp'),
    ANSIBLE_SSH_CONTROL_PATH_DIR: control,
    ANSIBLE_NOCOLOR: '1',
    ...(options.bare === true ? {} : ours),
    ...options.environment,
  };
}

/** A run under way, in a process group of its own. */
export interface RunningPlaybook {
  readonly pid: number;
  /** The run, once it has ended; its folder is gone by then. */
  readonly ended: Promise<PlaybookRun>;
  /** What has happened so far. */
  events(): readonly Event[];
  /** Ends ansible-playbook and all its children by force, as when the host loses its power. */
  kill(): Promise<void>;
}

/** Lays out the folder of a run. */
function prepareRun(firewalls: Firewall | readonly Firewall[], options: PlaybookOptions) {
  const all = 'root' in firewalls ? [firewalls] : firewalls;
  const folder = mkdtempSync(path.join(tmpdir(), 'run-'));
  const file = (name: string): string => path.join(folder, name);
  const { playbook = 'apply', present, absent } = options;
  writeFileSync(file('inventory.yml'), renderInventory(all, options));
  const batch = { ...(present && { firebreak_present: present }), ...(absent && { firebreak_absent: absent }) };
  writeFileSync(file('vars.json'), JSON.stringify({ ...batch, ...options.vars }));
  const book = playbook.includes('/') ? playbook : path.join(playbooks, `${playbook}.yml`);
  const args = ['-i', file('inventory.yml'), '-e', `@${file('vars.json')}`, ...(options.args ?? []), book];
  return { folder, args, environment: environmentOf(folder, controlFolder(all[0]!), options) };
}

/** Starts the real ansible-playbook against these firewalls (hosts edge, edge2, ...). */
export function startPlaybook(
  firewalls: Firewall | readonly Firewall[],
  options: PlaybookOptions = {},
): RunningPlaybook {
  const { folder, args, environment } = prepareRun(firewalls, options);
  const file = (name: string): string => path.join(folder, name);
  const child = spawnToFiles(args, environment, file('stdout'), file('stderr'));
  const ended = once(child, 'exit')
    .then(([code]) => describeRun(code as number | null, folder)) // (code, signal), by Node's documentation
    .finally(() => rmSync(folder, { recursive: true, force: true }));
  const pid = child.pid ?? 0;
  return {
    pid,
    ended,
    events: () => readEvents(file('events.jsonl')),
    kill: async () => {
      await endAll(findTree(pid));
      await ended;
    },
  };
}

/** A whole run, and all that came of it: through the warm runner where that is the same. */
export async function runPlaybook(
  firewalls: Firewall | readonly Firewall[],
  options: PlaybookOptions = {},
): Promise<PlaybookRun> {
  const isPlain = options.bare !== true && options.environment === undefined && !options.playbook?.includes('/');
  if (!isWarm || !isPlain) return startPlaybook(firewalls, options).ended;
  const { folder, args, environment } = prepareRun(firewalls, options);
  try {
    return describeRun(await runShared(args, { ...environment, HOME: sharedHome }, folder), folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Output goes to files: ssh's master would hold a pipe open. */
function spawnToFiles(
  args: readonly string[],
  env: Record<string, string>,
  stdout: string,
  stderr: string,
): ChildProcess {
  const [out, err] = [openSync(stdout, 'w'), openSync(stderr, 'w')];
  const stdio = ['ignore', out, err] as const;
  const child = spawn('ansible-playbook', args, { env, cwd: path.dirname(stdout), stdio: [...stdio], detached: true });
  closeSync(out);
  closeSync(err);
  return child;
}

function describeRun(code: number | null, folder: string): PlaybookRun {
  const [stdout = '', stderr = ''] = ['stdout', 'stderr'].map((name) => readFileSync(path.join(folder, name), 'utf8'));
  const events = readEvents(path.join(folder, 'events.jsonl'));
  const end = events.find(({ event }) => event === 'stats');
  const endingsOf = (host: string, status: string): Event[] =>
    events.filter((one) => one.event === 'result' && one.host === host && one.status === status);
  const stats = (host = 'edge'): unknown => end?.custom?.[host]?.firebreak;
  return {
    code,
    stdout,
    stderr,
    text: `${stdout}\n${stderr}`,
    events,
    stats,
    result: (host) => {
      const result = stats(host);
      if (result === undefined) throw new Error(`The role gave no result:\n${stdout}\n${stderr}`);
      return result as RoleResult; // what the role promises; the tests look at its parts
    },
    changed: (host = 'edge') => (end?.hosts?.[host]?.changed ?? 0) > 0,
    error: (host = 'edge') => endingsOf(host, 'failed').at(-1)?.error ?? undefined,
    unreachable: (host = 'edge') => endingsOf(host, 'unreachable').at(-1)?.msg ?? undefined,
  };
}
