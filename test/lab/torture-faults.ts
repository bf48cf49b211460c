/** What `npm run torture` does in a round: each fault starts some launchers, lets something fail, and mends it again. */
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSync } from '@photostructure/sqlite';
import { failWrites } from './failing-writes.js';
import type { Firewall } from './firewall.js';
import { toDataUrl, type Call, type CallOptions, type Ended, type Launcher } from './launcher.js';
import { canMount } from './namespace.js';
import { packageRoot } from './package-root.js';
import { findByWord, findMarked, findTree, findWarmRunner, signalAll } from './processes.js';

export interface Round {
  readonly firewall: Firewall;
  readonly launcher: Launcher;
  readonly random: () => number;
  /** A port that no round has used. */
  readonly newPort: () => number;
}

/** A call, with the port that it asked to be blocked; none if it asked for something else. */
export interface Asked extends Ended {
  readonly port?: number;
}

export interface Fault {
  readonly name: string;
  /** Takes minutes, and is played once. */
  readonly isLong?: boolean;
  /** Whether this machine can play it. */
  readonly isPossible?: () => boolean;
  play(round: Round): Promise<Asked[]>;
  /** Whether a launcher may end before our code begins. */
  readonly mayNotStart?: boolean;
  /** What is wrong although nothing was lost. */
  check?(round: Round): Promise<string[]>;
}

export const source = '203.0.113.7';
export const destination = '192.168.1.10';

const pick = <T>({ random }: Round, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T; // never empty here

const between = ({ random }: Round, least: number, most: number): number =>
  Math.floor(least + random() * (most - least + 1));

async function block(round: Round, options: CallOptions = {}, ...more: string[]): Promise<Asked> {
  const port = round.newPort();
  return { port, ...(await round.launcher.firebreak(['block', source, destination, String(port), ...more], options)) };
}

/** So many at once, each within two seconds. */
const blockMany = (round: Round, many: number, optionsOf: () => CallOptions = () => ({})): Promise<Asked[]> =>
  Promise.all(
    Array.from({ length: many }, async () => {
      const options = optionsOf();
      await sleep(round.random() * 2000);
      return block(round, options);
    }),
  );

const withPreload = (code: string): CallOptions => ({ env: { NODE_OPTIONS: `--import ${toDataUrl(code)}` } });

/** A clock that is so many milliseconds ahead. */
const withClock = (aheadMs: number): CallOptions =>
  withPreload(`const { now } = Date; Date.now = () => now() + ${aheadMs};`);

/** As long as it was asked for, whatever the clocks said when it was recorded. */
async function checkDurations({ launcher }: Round): Promise<string[]> {
  const { stdout } = await launcher.firebreak(['list', '--json']);
  const { blocks } = JSON.parse(stdout) as { blocks: { port: string; expires_at: string }[] }; // list --json
  const hours = (text: string): number => (Date.parse(text) - Date.now()) / 3_600_000;
  return blocks
    .filter(({ expires_at: ends }) => hours(ends) > 24.1 || hours(ends) < 20)
    .map(({ port, expires_at: ends }) => `port ${port} ends ${ends}`);
}

/** Random kills, with saves in the GUI and releases between. */
async function playKills(round: Round): Promise<Asked[]> {
  const { firewall, launcher, random } = round;
  const calls: Call[] = [];
  const victims: (() => number[])[] = [
    () => calls.map(({ pid }) => pid).filter((pid) => findTree(pid).length > 0),
    () => findByWord(launcher.configFile),
    () => findMarked('FIREBREAK_RUN_ID', launcher.folder),
    () => findWarmRunner(launcher.stateDir),
    () => findTree(firewall.pid()).filter((pid) => pid !== firewall.pid()),
  ];
  const later = async <T>(work: () => T | Promise<T>): Promise<T> => {
    await sleep(random() * 2500);
    return work();
  };
  const ports = Array.from({ length: 4 }, () => round.newPort());
  const released = ports.slice(0, 1);
  const asks = Array.from({ length: between(round, 3, 7) }, () => {
    const port = pick(round, ports);
    const isRelease = released.includes(port) && random() < 0.5;
    const words = [isRelease ? 'unblock' : 'block', source, destination, String(port)];
    return later(async (): Promise<Asked> => {
      const call = launcher.start([...words, ...(random() < 0.3 ? ['--no-wait'] : [])]);
      calls.push(call);
      const ended = await call.ended;
      return released.includes(port) ? ended : { port, ...ended };
    });
  });
  const saves = Array.from({ length: between(round, 0, 2) }, () => later(() => firewall.gui(['save'])));
  const kills = [pick(round, victims), pick(round, victims)].map((find) =>
    later(() => {
      const found = find();
      if (found.length > 0) signalAll([pick(round, found)], 'SIGKILL');
    }),
  );
  const [asked] = await Promise.all([Promise.all(asks), ...saves, ...kills]);
  return asked;
}

async function playFullLog(round: Round): Promise<Asked[]> {
  const { launcher } = round;
  const file = path.join(launcher.folder, 'full.log');
  if (!existsSync(file)) symlinkSync('/dev/full', file);
  launcher.configure({ log: { file } });
  const asked = await blockMany(round, 3);
  launcher.configure({ log: {} });
  return asked;
}

/** The ledger's file, which the first call creates. */
async function openLedgerFile({ launcher }: Round): Promise<string> {
  const { exit, stderr } = await launcher.firebreak(['list']);
  if (exit !== 0) throw new Error(stderr);
  return path.join(launcher.stateDir, 'ledger.db');
}

/** Somebody else writes for so long that some give up, or just not. */
async function playBusyLedger(round: Round): Promise<Asked[]> {
  const { launcher } = round;
  const file = await openLedgerFile(round);
  launcher.configure({ dispatch: { recheck: '1s', patience: pick(round, ['1s', '60s']) } });
  const other = new DatabaseSync(file);
  other.exec('BEGIN IMMEDIATE');
  const asking = blockMany(round, between(round, 4, 12));
  await sleep(between(round, 2000, 5000));
  other.exec('ROLLBACK');
  other.close();
  const asked = await asking;
  launcher.configure({ dispatch: { recheck: '1s' } });
  const own = asked.filter(({ stderr }) => stderr.includes('NOT recorded'));
  if (own.length > 0) throw new Error(`${own.length} calls ran beside a busy ledger: ${own[0]?.stderr}`);
  return asked;
}

async function playBrokenLedger(round: Round): Promise<Asked[]> {
  const file = await openLedgerFile(round);
  const parts = ['', '-wal', '-shm'].map((end) => file + end).filter((part) => existsSync(part));
  for (const part of parts) renameSync(part, `${part}.good`);
  writeFileSync(file, 'no database '.repeat(between(round, 1, 1000)));
  const asked = await blockMany(round, between(round, 1, 4));
  for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
  for (const part of parts) renameSync(`${part}.good`, part);
  return asked;
}

const playFailingWrites =
  (code: 'EMFILE' | 'ENOSPC' | 'EROFS', isLasting: boolean) =>
  async (round: Round): Promise<Asked[]> => {
    const report = path.join(round.launcher.folder, 'failed');
    return [
      await block(round, { env: failWrites({ from: between(round, 1, 30), isLasting, code, report }) }),
      await block(round, { env: failWrites({ from: between(round, 1, 30), isLasting, code, report }) }),
    ];
  };

/** The state folder lies on a small disk, which one call finds full, and the next one not. */
const playSmallDisk =
  (what: 'bytes' | 'inodes', fill: string) =>
  async (round: Round): Promise<Asked[]> => {
    const { launcher } = round;
    const options =
      what === 'bytes' ? `size=${sizeOf(launcher.stateDir) + 2 ** 21}` : `nr_inodes=${countIn(launcher) + 60}`;
    launcher.configure({ ansible: { timeout: '30s', warm: 0 } });
    signalAll(findWarmRunner(launcher.stateDir), 'SIGKILL');
    const [full, free] = [round.newPort(), round.newPort()];
    const script = `set -e; state=$1; shift; mkdir "$state.real"; mount --bind "$state" "$state.real"
      mount -t tmpfs -o mode=700,${options} small "$state"; cp -a "$state.real/." "$state"; ${fill}
      "$@" ${full} >&2 && code=0 || code=$?; echo "exit $code." >&2; rm -f "$state"/filler*
      "$@" ${free} >&2 && code=0 || code=$?; echo "exit $code." >&2
      cp -a "$state/." "$state.real/"`;
    const prefix = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', launcher.stateDir];
    const { stderr } = await launcher.firebreak(['block', source, destination], { prefix });
    rmSync(`${launcher.stateDir}.real`, { recursive: true, force: true });
    launcher.configure({ ansible: { timeout: '30s', warm: '5m' } });
    const said = /^([^]*)exit (\d+)\.\n([^]*)exit (\d+)\.\n$/.exec(stderr);
    if (said === null) throw new Error(stderr);
    const [, first = '', code, second = '', other] = said;
    return [
      { port: full, exit: Number(code), stdout: '', stderr: first },
      { port: free, exit: Number(other), stdout: '', stderr: second },
    ];
  };

/** Each call has its own clock. */
const playClockSteps = (round: Round): Promise<Asked[]> =>
  blockMany(round, 3, () => withClock(between(round, -7200, 7200) * 1000));

/** In the hour in which the clocks of Berlin are set back, as its people read them. */
function playDst(round: Round): Promise<Asked[]> {
  const changes = Date.parse('2027-10-31T01:00:00Z');
  const { env } = withClock(changes - between(round, 1, 20) * 1000 - Date.now());
  return blockMany(round, 2, () => ({ env: { ...env, TZ: 'Europe/Berlin' } }));
}

/** The caller hangs up while the launcher is starting. */
async function playHangUp(round: Round): Promise<Asked[]> {
  return Promise.all(
    Array.from({ length: 4 }, async (): Promise<Asked> => {
      const port = round.newPort();
      const call = round.launcher.start(['block', source, destination, String(port)]);
      await sleep(round.random() * 1500);
      call.child.kill('SIGHUP');
      return { port, ...(await call.ended) };
    }),
  );
}

/** No process more: fork fails as under `ulimit -u`, which the kernel does not apply to root. */
const noProcess = withPreload(`
  import { ChildProcess } from 'node:child_process';
  const { spawn } = ChildProcess.prototype;
  let left = Math.floor(Math.random() * 3);
  ChildProcess.prototype.spawn = function (options) {
    left -= 1;
    if (left >= 0) return spawn.call(this, options);
    return spawn.call(this, { ...options, file: '/', args: ['/'] });
  };`);

const playMemory = (round: Round): Promise<Asked[]> =>
  blockMany(round, 2, () => ({
    prefix: ['sh', '-c', `ulimit -v ${between(round, 1_000_000, 3_000_000)}; exec "$@"`, 'sh'],
  }));

const playNoFolders = (round: Round): Promise<Asked[]> =>
  blockMany(round, 2, () => ({
    env: { HOME: '/dev/null/home', TMPDIR: pick(round, ['', '/nowhere/tmp', '/dev/null']) },
  }));

/** A copy of the program with another version number; what it does is the same. */
function copyProgram({ launcher }: Round): string {
  const folder = path.join(launcher.folder, 'other-version');
  if (!existsSync(folder)) {
    mkdirSync(folder);
    for (const name of ['dist', 'playbooks', 'templates'])
      cpSync(path.join(packageRoot, name), path.join(folder, name), { recursive: true });
    symlinkSync(path.join(packageRoot, 'node_modules'), path.join(folder, 'node_modules'));
    const text = readFileSync(path.join(packageRoot, 'package.json'), 'utf8');
    writeFileSync(path.join(folder, 'package.json'), text.replace(/"version": "[^"]*"/, '"version": "9.9.9"'));
  }
  return path.join(folder, 'dist/cli.js');
}

function playTwoVersions(round: Round): Promise<Asked[]> {
  const other = copyProgram(round);
  return blockMany(round, 6, () => (round.random() < 0.5 ? { program: other } : {}));
}

/** 3,000 alarms over two minutes, with a reload of three seconds. */
async function playStorm(round: Round): Promise<Asked[]> {
  round.firewall.setFaults({ reloadStall: 3 });
  const asked: Promise<Asked>[] = [];
  const underWay = new Set<Promise<Asked>>();
  for (let at = 0; at < 3000; at += 1) {
    const call = block(round, {}, ...(at % 3 === 0 ? [] : ['--no-wait']));
    asked.push(call);
    underWay.add(call);
    void call.then(() => underWay.delete(call));
    await sleep(40);
    if (underWay.size >= 64) await Promise.race(underWay); // so many wait for this machine, not for the firewall
  }
  const all = await Promise.all(asked);
  round.firewall.clearFaults();
  return all;
}

/** 300 runs in a row; what is open, used and left after the tenth is so after the last as well. */
async function playManyRuns(round: Round): Promise<Asked[]> {
  const { launcher } = round;
  launcher.configure({ ansible: { timeout: '30s', warm: '5m', keep_runs: 5 } });
  const asked: Asked[] = [];
  let before: Usage | undefined;
  for (let run = 1; run <= 300; run += 1) {
    asked.push(await block(round));
    if (run === 10) before = measure(round);
  }
  const after = measure(round);
  for (const name of Object.keys(after) as (keyof Usage)[]) {
    const least = before?.[name] ?? 0;
    const most = name === 'kilobytes' ? least * 1.2 : least;
    if (after[name] > most) throw new Error(`${name}: ${least} after 10 runs, ${after[name]} after 300`);
  }
  return asked;
}

interface Usage {
  descriptors: number;
  kilobytes: number;
  files: number;
  processes: number;
}

/** Of the warm runner, which is all that lives on; and what lies in the state folder. */
function measure({ launcher, firewall }: Round): Usage {
  const [runner] = findWarmRunner(launcher.stateDir);
  const status = runner === undefined ? '' : readFileSync(`/proc/${runner}/status`, 'utf8');
  return {
    descriptors: runner === undefined ? 0 : readdirNames(`/proc/${runner}/fd`).length,
    kilobytes: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0),
    files: countIn(launcher) + readdirNames(path.join(firewall.root, 'tmp'), true).length,
    processes: findMarked('FIREBREAK_RUN_ID', launcher.folder).length,
  };
}

const countIn = ({ stateDir }: Launcher): number => readdirNames(stateDir, true).length;

/** In bytes, as a disk of pages of 4 kB holds it. */
const sizeOf = (folder: string): number =>
  readdirNames(folder, true).reduce((sum, name) => {
    const size = lstatSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
    return sum + Math.ceil(size / 4096) * 4096;
  }, 0);

const readdirNames = (folder: string, recursive = false): string[] => readdirSync(folder, { recursive }) as string[]; // no buffers asked for

async function checkLostLines({ launcher }: Round): Promise<string[]> {
  launcher.configure({ log: { file: path.join(launcher.folder, 'full.log') } });
  const { stdout } = await launcher.firebreak(['doctor', '--json']);
  launcher.configure({ log: {} });
  return /\d+ lines of \S+ were lost since/.test(stdout) ? [] : ['doctor tells of no lost lines'];
}

const shortFaults: readonly Fault[] = [
  { name: 'kills', play: playKills },
  { name: 'full log', play: playFullLog, check: checkLostLines },
  { name: 'busy ledger', play: playBusyLedger },
  { name: 'broken ledger', play: playBrokenLedger },
  { name: 'EMFILE', play: playFailingWrites('EMFILE', false) },
  { name: 'ENOSPC', play: playFailingWrites('ENOSPC', true) },
  { name: 'EROFS', play: playFailingWrites('EROFS', true) },
  {
    name: 'full disk',
    isPossible: canMount,
    play: playSmallDisk('bytes', '(cat /dev/zero >"$state/filler" 2>/dev/null || true)'),
  },
  {
    name: 'no inode',
    isPossible: canMount,
    play: playSmallDisk('inodes', '(i=0; while touch "$state/filler$i" 2>/dev/null; do i=$((i+1)); done)'),
  },
  { name: 'clock steps', play: playClockSteps, check: checkDurations },
  { name: 'clock change', play: playDst, check: checkDurations },
  { name: 'hang-up', play: playHangUp },
  { name: 'no process', play: (round) => blockMany(round, 2, () => noProcess) },
  { name: 'no memory', mayNotStart: true, play: playMemory },
  { name: 'no HOME, TMPDIR', play: playNoFolders },
  { name: 'two versions', play: playTwoVersions },
];

const longFaults: readonly Fault[] = [
  { name: '3000 alarms', isLong: true, play: playStorm },
  { name: '300 runs', isLong: true, play: playManyRuns },
];

export const faults: readonly Fault[] = [...shortFaults, ...longFaults];
