/**
 * Kills launchers, Ansible, its warm runner and the firewall's sshd at random moments under load, with saves in the GUI between, and
 * looks after each round whether anything was lost, doubled or left behind.
 *
 *   npm run torture -- [--rounds 300] [--seed N]
 *
 * The seed says what is done and when; how far the killed got by then is the machine's own.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startFirewall, type Firewall } from './firewall.js';
import { makeLauncher, settingsOf, waitUntil, type AnswerBlock, type Call, type Launcher } from './launcher.js';
import { findByWord, findMarked, findNaming, findTree, findWarmRunner, signalAll } from './processes.js';

export interface TortureOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly say?: (line: string) => void;
}

/** Numbers from 0 to 1 that follow from the seed (mulberry32). */
function makeRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const source = '203.0.113.7';
const destination = '192.168.1.10';
const ports = Array.from({ length: 12 }, (_, index) => 7001 + index);

interface Victim {
  readonly name: string;
  find(): number[];
}

/** Runs all rounds. @throws with the seed and the round where something was lost, doubled or left behind */
export async function torture({ rounds, seed, say = () => undefined }: TortureOptions): Promise<void> {
  const random = makeRandom(seed);
  const firewall = await startFirewall();
  const launcher = makeLauncher(
    { edge: settingsOf(firewall) },
    {
      policy: { limits: { per_minute: 1_000_000 } },
      dispatch: { recheck: '1s' },
      ansible: { timeout: '30s', warm: '5m' },
    },
  );
  try {
    for (let round = 1; round <= rounds; round += 1) {
      const told = await playRound({ firewall, launcher, random });
      const problems = await settleAndLook(firewall, launcher);
      if (problems.length > 0) throw new Error(`seed ${seed}, round ${round}: ${problems.join('; ')}`);
      say(`round ${round} of ${rounds}: ${told}: nothing lost, doubled or left behind`);
    }
  } finally {
    launcher.remove();
    await firewall.stop();
  }
}

interface Round {
  readonly firewall: Firewall;
  readonly launcher: Launcher;
  readonly random: () => number;
}

/** Some launchers at once, a save or two in the GUI, and two kills. */
async function playRound({ firewall, launcher, random }: Round): Promise<string> {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T; // never empty here
  const calls: Call[] = [];
  const victims: Victim[] = [
    { name: 'a launcher', find: () => calls.map(({ pid }) => pid).filter(isAlive) },
    { name: 'a drainer', find: () => findByWord(launcher.configFile) },
    { name: 'ansible-playbook', find: () => findMarked('FIREBREAK_RUN_ID', launcher.folder) },
    { name: 'the warm runner', find: () => findWarmRunner(launcher.stateDir) },
    { name: 'the sessions of sshd', find: () => findTree(firewall.pid()).filter((pid) => pid !== firewall.pid()) },
  ];
  const later = async (work: () => unknown): Promise<void> => {
    await sleep(random() * 2500);
    await work();
  };
  const words = (): string[] => {
    const chance = random();
    const port = String(pick(ports));
    if (chance < 0.2) return ['unblock', source, destination, port];
    return ['block', source, destination, port, ...(chance < 0.5 ? ['--no-wait'] : [])];
  };
  const chosen = [pick(victims), pick(victims)];
  const launches = Array.from({ length: 3 + Math.floor(random() * 5) }, () => {
    const args = words();
    return later(() => calls.push(launcher.start(args)));
  });
  const saves = Array.from({ length: Math.floor(random() * 3) }, () => later(() => firewall.gui(['save'])));
  const kills = chosen.map((victim) => later(() => signalAll([pick(victim.find())].filter(Boolean), 'SIGKILL')));
  await Promise.all([...launches, ...saves, ...kills]);
  await Promise.all(calls.map(({ ended }) => ended));
  return `${launches.length} launchers, ${saves.length} saves, ${chosen.map(({ name }) => name).join(' and ')} killed`;
}

function isAlive(pid: number): boolean {
  return findTree(pid).length > 0;
}

interface Listed extends AnswerBlock {
  readonly state: string;
}

async function list(launcher: Launcher, ...args: string[]): Promise<Listed[]> {
  const { stdout } = await launcher.firebreak(['list', ...args, '--json']);
  return (JSON.parse(stdout) as { blocks: Listed[] }).blocks; // list --json
}

/** Lets everything settle, then compares ledger, configuration and pf, and looks for what was left. */
async function settleAndLook(firewall: Firewall, launcher: Launcher): Promise<string[]> {
  await waitUntil(
    'the ledger settled',
    async () => {
      await launcher.firebreak(['retry', '--all']);
      await launcher.firebreak(['drain']);
      return (await list(launcher)).every(({ state }) => state === 'active');
    },
    90_000,
  );
  const ours = (): number[] => [
    ...findMarked('FIREBREAK_RUN_ID', launcher.folder),
    ...findByWord(launcher.configFile),
    ...findNaming(launcher.stateDir),
  ];
  const runner = (): Set<number> => new Set(findWarmRunner(launcher.stateDir));
  await waitUntil('all of our processes but the warm runner ended', () => {
    const stays = runner();
    return ours().every((pid) => stays.has(pid)) && stays.size <= 1;
  });
  const wanted = (await list(launcher)).map(({ port }) => port).sort();
  const text = firewall.readConfig();
  const standing = [...text.matchAll(/<address>203\.0\.113\.7<\/address>[^]*?<port>(\d+)<\/port>/g)]
    .map(([, port]) => port)
    .sort();
  const loaded = (await firewall.loadedRules())
    .flatMap((rule) => / from 203\.0\.113\.7 to 192\.168\.1\.10 port = (\S+)/.exec(rule)?.[1] ?? [])
    .sort();
  const problems: string[] = [];
  if (standing.join() !== wanted.join()) problems.push(`wanted ${wanted.join()}, in config.xml ${standing.join()}`);
  if (loaded.join() !== wanted.join()) problems.push(`wanted ${wanted.join()}, in pf ${loaded.join()}`);
  const left = [...findLeftovers(firewall.root), ...findTemporary(launcher)];
  if (left.length > 0) problems.push(`left behind: ${left.join(', ')}`);
  await firewall.run('usr/local/bin/php', [
    '-r',
    'exit(is_array(parse_xml_config($argv[1])) ? 0 : 1);',
    firewall.configFile,
  ]);
  return problems;
}

/** Working copies beside the configuration or in the firewall's temporary folder. */
function findLeftovers(root: string): string[] {
  const known = /^(config\.(lock|cache|xml)|rules\.debug(\.old)?|notices|em0_router|backup)$/;
  return ['cf/conf', 'tmp'].flatMap((folder) =>
    readdirSync(path.join(root, folder))
      .filter((name) => !known.test(name))
      .map((name) => path.join(folder, name)),
  );
}

/** What only a run under way may have. */
function findTemporary(launcher: Launcher): string[] {
  const sockets = path.join(launcher.stateDir, 'ssh');
  return [
    ...launcher
      .runs()
      .map((run) => path.join(run, 'tmp'))
      .filter((folder) => existsSync(folder)),
    ...(existsSync(sockets) ? readdirSync(sockets).map((name) => path.join(sockets, name)) : []),
  ];
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' } } });
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const folder = mkdtempSync(path.join(tmpdir(), 'torture-'));
  process.env['TMPDIR'] = folder;
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(`seed ${seed}`);
  try {
    await torture({ rounds: Number(values.rounds ?? 300), seed, say });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
