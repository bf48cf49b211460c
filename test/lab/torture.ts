/**
 * Lets things fail at random moments under load: processes are killed, the log is full, the ledger busy or broken, the disk
 * full, the clock set. Looks after each round whether anything was lost, doubled or left behind.
 *
 *   npm run torture -- [--rounds 300] [--seed N] [--fault NAME]... [--long]
 *
 * A round has a seed of its own, which says what is done and when; how far the killed got by then is the machine's own.
 * --long adds the faults that take minutes, once each.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startFirewall, type Firewall } from './firewall.js';
import { makeLauncher, settingsOf, waitUntil, type AnswerBlock, type Launcher } from './launcher.js';
import { findByWord, findMarked, findNaming, findWarmRunner } from './processes.js';
import { faults as allFaults, source, type Asked, type Fault } from './torture-faults.js';

export interface TortureOptions {
  readonly rounds: number;
  readonly seed: number;
  /** By their names; by default all that take no minutes, one after the other. */
  readonly faults?: readonly string[];
  readonly isLong?: boolean;
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

/** A firewall and a launcher, for as many rounds as go well. */
interface Stage {
  readonly firewall: Firewall;
  readonly launcher: Launcher;
  readonly newPort: () => number;
  /** Ports in force that nothing could record; their callers were told so. */
  readonly unrecorded: Set<number>;
}

async function openStage(): Promise<Stage> {
  const firewall = await startFirewall();
  const launcher = makeLauncher(
    { edge: settingsOf(firewall) },
    {
      policy: { limits: { per_minute: 1_000_000, active: 1_000_000, per_destination: 1_000_000 } },
      dispatch: { recheck: '1s' },
      ansible: { timeout: '30s', warm: '5m' },
    },
  );
  let port = 49_152; // from here on none has a name, which pfctl would print instead
  return { firewall, launcher, newPort: () => (port += 1), unrecorded: new Set() };
}

async function closeStage({ firewall, launcher }: Stage): Promise<void> {
  launcher.remove();
  await firewall.stop();
}

/** A row of the report. */
interface Tally {
  rounds: number;
  kept: number;
  inForce: number;
  lost: number;
  doubled: number;
  worst: number | null;
}

/** Every exit code that a caller may meet, from the best to the worst; any other is a bug. */
const severity = [null, 0, 75, 8, 3, 9, 7, 4, 6, 5, 2];
const rankOf = (exit: number | null): number => severity.indexOf(exit);
const isBug = (exit: number | null): boolean => rankOf(exit) === -1;

const worseOf = (one: number | null, other: number | null): number | null => {
  if (isBug(one) || isBug(other)) return isBug(one) ? one : other;
  return rankOf(one) > rankOf(other) ? one : other;
};

/** What the caller was told is recorded or spooled. */
const isKept = ({ exit, stderr }: Asked): boolean =>
  exit !== null && !isBug(exit) && exit !== 75 && (exit !== 2 || stderr.includes('alarm is spooled'));

/** Plays all rounds. @throws with the seeds of the rounds where something was lost, doubled, left behind or went wrong */
export async function torture(options: TortureOptions): Promise<void> {
  const { rounds, seed, isLong = false, say = () => undefined } = options;
  const playable = allFaults.filter((fault) => fault.isPossible?.() ?? true);
  const chosen = playable.filter((fault) => options.faults?.includes(fault.name) ?? fault.isLong !== true);
  const long = isLong ? playable.filter((fault) => fault.isLong) : [];
  const plan = [...Array.from({ length: rounds }, (_, at) => chosen[at % chosen.length] as Fault), ...long]; // never empty
  const tallies = new Map<string, Tally>();
  const problems: string[] = [];
  let stage = await openStage();
  try {
    for (const [at, fault] of plan.entries()) {
      const tally = tallies.get(fault.name) ?? { rounds: 0, kept: 0, inForce: 0, lost: 0, doubled: 0, worst: null };
      tallies.set(fault.name, tally);
      const found = await playRound(fault, stage, { random: makeRandom(seed + at), tally }).catch(toProblem);
      say(`seed ${seed + at}: ${fault.name}: ${found.length === 0 ? 'well' : found.join('; ')}`);
      if (found.length === 0) continue;
      problems.push(...found.map((problem) => `--seed ${seed + at} --fault "${fault.name}": ${problem}`));
      await closeStage(stage);
      stage = await openStage();
    }
  } finally {
    await closeStage(stage);
    say(renderTable(tallies));
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

const toProblem = (error: unknown): string[] => [error instanceof Error ? error.message : String(error)];

function renderTable(tallies: ReadonlyMap<string, Tally>): string {
  const rows = [...tallies].map(([name, { rounds, kept, inForce, lost, doubled, worst }]) => [
    ...[name, rounds, kept, inForce, lost, doubled, worst ?? '-'].map(String),
  ]);
  const all = [['fault', 'rounds', 'kept', 'in force', 'lost', 'doubled', 'worst exit'], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length))) ?? [];
  const render = (row: string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  return all.map(render).join('\n');
}

/** @returns what went wrong */
async function playRound(
  fault: Fault,
  stage: Stage,
  { random, tally }: { random: () => number; tally: Tally },
): Promise<string[]> {
  const round = { ...stage, random };
  tally.rounds += 1;
  const asked = await fault.play(round);
  for (const { port, stderr } of asked) {
    if (port !== undefined && stderr.includes('not spooled either')) stage.unrecorded.add(port);
  }
  const problems = asked.flatMap(({ exit, stdout, stderr }) =>
    isBug(exit) && fault.mayNotStart !== true ? [`exit ${exit}: ${stdout}${stderr}`] : [],
  );
  tally.worst = asked.map(({ exit }) => exit).reduce(worseOf, tally.worst);
  const found = await settleAndLook(stage);
  const kept = new Set(asked.flatMap((each) => (isKept(each) && each.port !== undefined ? [each.port] : [])));
  const lost = [...kept].filter((port) => !found.loaded.includes(port));
  tally.kept += kept.size;
  tally.inForce += kept.size - lost.length;
  tally.lost += lost.length;
  tally.doubled += found.doubled.length;
  if (lost.length > 0) problems.push(`lost: ${lost.join(', ')}`);
  if (found.doubled.length > 0) problems.push(`doubled: ${found.doubled.join(', ')}`);
  problems.push(...found.problems, ...((await fault.check?.(round)) ?? []));
  return problems;
}

interface Listed extends AnswerBlock {
  readonly state: string;
}

async function list(launcher: Launcher): Promise<Listed[]> {
  const { stdout } = await launcher.firebreak(['list', '--json']);
  return (JSON.parse(stdout) as { blocks: Listed[] }).blocks; // list --json
}

interface Found {
  loaded: number[];
  doubled: number[];
  problems: string[];
}

/** Lets everything settle, then compares ledger, configuration and pf, and looks for what was left. */
async function settleAndLook({ firewall, launcher, unrecorded }: Stage): Promise<Found> {
  await waitUntil(
    'the ledger settled',
    async () => {
      await launcher.firebreak(['retry', '--all']);
      await launcher.firebreak(['drain']);
      return (await list(launcher)).every(({ state }) => state === 'active');
    },
    300_000,
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
  const wanted = (await list(launcher)).map(({ port }) => Number(port)).sort();
  const from = source.replaceAll('.', String.raw`\.`);
  const text = firewall.readConfig();
  const inFile = [...text.matchAll(new RegExp(`<address>${from}</address>[^]*?<port>(\\d+)</port>`, 'g'))].map(
    ([, port]) => Number(port),
  );
  const loaded = (await firewall.loadedRules()).flatMap((rule) => {
    const [, port] = new RegExp(` from ${from} to \\S+ port = (\\d+)`).exec(rule) ?? [];
    return port === undefined ? [] : [Number(port)];
  });
  const doubled = inFile.filter((port, at) => inFile.indexOf(port) !== at);
  const problems: string[] = [];
  const expect = (where: string, ports: readonly number[]): void => {
    const missing = wanted.filter((port) => !ports.includes(port));
    const foreign = ports.filter((port) => !wanted.includes(port) && !unrecorded.has(port));
    if (missing.length > 0) problems.push(`not in ${where}: ${missing.join(', ')}`);
    if (foreign.length > 0) problems.push(`only in ${where}: ${foreign.join(', ')}`);
  };
  expect('config.xml', inFile);
  expect('pf', loaded);
  const left = [...findLeftovers(firewall.root), ...findTemporary(launcher)];
  if (left.length > 0) problems.push(`left behind: ${left.join(', ')}`);
  await firewall.run('usr/local/bin/php', [
    '-r',
    'exit(is_array(parse_xml_config($argv[1])) ? 0 : 1);',
    firewall.configFile,
  ]);
  return { loaded, doubled, problems };
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
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      seed: { type: 'string' },
      fault: { type: 'string', multiple: true },
      long: { type: 'boolean', default: false },
    },
  });
  const unknown = values.fault?.find((name) => allFaults.every((fault) => fault.name !== name));
  if (unknown !== undefined)
    throw new Error(`--fault: expected ${allFaults.map(({ name }) => name).join(', ')}, got "${unknown}"`);
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const folder = mkdtempSync(path.join(tmpdir(), 'torture-'));
  process.env['TMPDIR'] = folder;
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  try {
    const rounds = Number(values.rounds ?? 300);
    const faults = values.fault === undefined ? {} : { faults: values.fault };
    await torture({ rounds, seed, ...faults, isLong: values.long, say });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
