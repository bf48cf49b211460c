/**
 * Fails the run when a test leaves something behind: a process it started, or something in the temporary folder.
 *
 * Every mocha process gets a temporary folder of its own (TMPDIR), and everything the tests make lies below it. A
 * process belongs to us if it descends from mocha or names that folder in its arguments or environment, which holds
 * for whatever detached itself as well, since Ansible and sshd are told to keep their files there.
 */
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, RootHookObject } from 'mocha';
import { endAll, findWarmRunner, sharedFolder } from './lab/processes.js';

/** How long a process or a folder may take to go after the test that used it: a server works on meanwhile. */
const graceMs = 15_000;

// Short, because the paths of ssh's control sockets below it may not be longer than about a hundred characters.
const folder = mkdtempSync(path.join(tmpdir(), 'fbt-'));
process.env['TMPDIR'] = folder;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  readonly namesFolder: boolean;
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // it ended meanwhile, or it is not ours to read
  }
}

function readProcess(pid: number): Process | undefined {
  // The name in the second field may hold spaces and brackets, so fields are counted from its last bracket.
  const [state, parent] = readProc(pid, 'stat').split(') ').at(-1)?.split(' ') ?? [];
  if (parent === undefined || state === 'Z') return undefined;
  const command = readProc(pid, 'cmdline').replaceAll('\0', ' ').trim();
  const namesFolder = command.includes(folder) || readProc(pid, 'environ').includes(folder);
  return { pid, parent: Number(parent), command, namesFolder };
}

/** Processes that are there because of the tests. */
function findOurs(): Process[] {
  if (!existsSync('/proc/self/stat')) return [];
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
  const ours = new Set([process.pid]);
  for (let before = 0; before < ours.size;) {
    before = ours.size;
    for (const { pid, parent, namesFolder } of all) if (namesFolder || ours.has(parent)) ours.add(pid);
  }
  ours.delete(process.pid);
  return all.filter(({ pid }) => ours.has(pid));
}

/** A server that a suite keeps for all its tests may outlive one of them, and the shared runner too; a run never may. */
function isRun({ pid, command }: Process): boolean {
  return /ansible-playbook|dist\/cli\.js/.test(command) && !findSharedRunner().includes(pid);
}

const findSharedRunner = (): number[] => findWarmRunner(path.join(folder, sharedFolder));

async function waitUntilGone<One>(find: () => One[]): Promise<One[]> {
  const deadline = performance.now() + graceMs;
  let left = find();
  while (left.length > 0 && performance.now() < deadline) {
    await sleep(50);
    left = find();
  }
  return left;
}

const leaks: string[] = [];
let knownPids = new Set<number>();
let knownEntries = new Set<string>();

function rememberWhatIsThere(): void {
  knownPids = new Set(findOurs().map(({ pid }) => pid));
  knownEntries = new Set(readdirSync(folder));
}

export const mochaHooks: RootHookObject = {
  beforeEach() {
    rememberWhatIsThere();
  },

  // Noted here and told at the end: an error thrown in a root hook would make mocha skip all that follows.
  async afterEach(this: Context) {
    const title = this.currentTest?.fullTitle() ?? 'a test';
    const left = await waitUntilGone(() => findOurs().filter((one) => isRun(one) && !knownPids.has(one.pid)));
    leaks.push(...left.map(({ pid, command }) => `"${title}" left process ${pid}: ${command.slice(0, 160)}`));
    const entries = await waitUntilGone(() =>
      readdirSync(folder).filter((name) => !knownEntries.has(name) && name !== sharedFolder),
    );
    leaks.push(...entries.map((name) => `"${title}" left ${path.join(folder, name)}`));
  },

  async afterAll() {
    await endAll(findSharedRunner());
    rmSync(path.join(folder, sharedFolder), { recursive: true, force: true });
    const left = await waitUntilGone(findOurs);
    leaks.push(...left.map(({ pid, command }) => `still running: ${pid} ${command.slice(0, 160)}`));
    for (const { pid } of left) process.kill(pid, 'SIGKILL');
    leaks.push(...readdirSync(folder).map((name) => `still there: ${path.join(folder, name)}`));
    rmSync(folder, { recursive: true, force: true });
    if (leaks.length > 0) throw new Error(`Tests left something behind:\n  ${leaks.join('\n  ')}`);
  },
};
