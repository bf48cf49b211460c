import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Flow } from './ansible.js';
import type { Version } from './firewall.js';
import { packageRoot } from './package-root.js';

export interface StepsRequest {
  /** config.xml, alone in its folder. */
  readonly file: string;
  readonly php: string;
  readonly version: Version;
  readonly present: readonly Flow[];
  readonly absent: readonly Flow[];
  readonly fix: boolean;
}

/** A rule as pfSense reads it. */
export interface ReadRule {
  readonly tracker: string;
  readonly type?: string;
  readonly interface?: string;
  readonly ipprotocol?: string;
  readonly protocol?: string;
  readonly source?: { readonly address?: string };
  readonly destination?: { readonly address?: string; readonly port?: string };
  readonly descr?: string;
}

export interface StepsAnswer {
  /** The probe's code, where it refused the file; nothing below but `same` and `left` is there then. */
  readonly refused?: string;
  /** What the edit's task said when it failed. */
  readonly failed?: string | null;
  /** Whether a task says that it changed something. */
  readonly changed?: boolean;
  /** Whether the file is byte for byte as it was. */
  readonly same: boolean;
  /** What lies beside the file. */
  readonly left: readonly string[];
  readonly missing?: readonly number[];
  readonly correct?: readonly number[];
  readonly rewrite?: readonly number[];
  readonly changed_by_hand?: readonly number[];
  readonly stale?: readonly number[];
  /** Why pfSense would not read the file. */
  readonly unreadable?: string;
  /** Whether all but the rules of our band is as it was. */
  readonly restIsSame?: boolean;
  /** Whether a save in the GUI loses nothing of it. */
  readonly saveKeepsAll?: boolean;
  /** Whether the file was, and is, byte for byte what a save in the GUI would write. */
  readonly wasAsSaved?: boolean;
  readonly isAsSaved?: boolean;
  readonly ours?: readonly ReadRule[];
}

export interface RoleSteps {
  run(request: StepsRequest): Promise<StepsAnswer>;
  stop(): Promise<void>;
}

/** The Python that the ansible-playbook on PATH runs with. */
function findAnsiblePython(): string {
  const places = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, 'ansible-playbook'));
  const command = places.find((file) => existsSync(file));
  const python = command && /^#! *(\S+)/.exec(readFileSync(realpathSync(command), 'utf8'))?.[1];
  if (!python) throw new Error('ansible-playbook is not on PATH, or is no Python script.');
  return python;
}

/** Starts the role's look and edit as a program that takes one request after another (see role-steps.py). */
export async function startRoleSteps(): Promise<RoleSteps> {
  const home = mkdtempSync(path.join(tmpdir(), 'steps-'));
  const script = path.join(packageRoot, 'test/lab/role-steps.py');
  const child = spawn(findAnsiblePython(), ['-B', script, path.join(packageRoot, 'playbooks')], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', HOME: home, ANSIBLE_HOME: home, TMPDIR: home },
  });
  let said = '';
  child.stderr.on('data', (data: Buffer) => (said += data.toString()));
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]() as AsyncIterator<string, undefined>;
  const readAnswer = async (): Promise<unknown> => {
    const line = await lines.next();
    if (line.done) throw new Error(`role-steps.py ended:\n${said}`);
    return JSON.parse(line.value);
  };
  await readAnswer();
  return {
    run: async (request) => {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return (await readAnswer()) as StepsAnswer; // role-steps.py writes it so
    },
    stop: async () => {
      child.stdin.end();
      await exited;
      rmSync(home, { recursive: true, force: true });
    },
  };
}
