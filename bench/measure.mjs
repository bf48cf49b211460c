// What the benches share: medians, a table, and a word on how far the figures can be trusted.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { clearInterval, setInterval } from 'node:timers';

const sorted = (figures) => [...figures].sort((one, other) => one - other);

export function median(figures) {
  const all = sorted(figures);
  const middle = Math.floor(all.length / 2);
  return all.length % 2 === 1 ? all[middle] : (all[middle - 1] + all[middle]) / 2;
}

/** Seconds of processor time that these processes have used, with all of their children that have ended. */
export function readProcessorTime(pids) {
  const ticks = pids.flatMap((pid) =>
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ').slice(11, 15),
  );
  return ticks.reduce((sum, one) => sum + Number(one), 0) / 100; // Linux tells them in hundredths
}

/**
 * Counts the instructions that these processes retire, with all of their later children. `read` gives thousands of
 * millions since the start, or undefined if this machine has no such counter. End it with `stop`.
 */
export async function startCounter(pids) {
  const script = path.join(import.meta.dirname, 'instructions.py');
  const child = spawn('python3', ['-B', script, ...pids.map(String)], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const exit = once(child, 'close');
  const isThere = (await lines.next()).value === 'ready';
  return {
    read: async () => {
      if (!isThere) return undefined;
      child.stdin.write('\n');
      return Number((await lines.next()).value) / 1e9;
    },
    stop: async () => {
      child.stdin.end();
      await exit;
    },
  };
}

const readAvailable = () => Number(/^MemAvailable: +(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))[1]) / 1024;
const countProcesses = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length;

/** The most processes and memory of this host from now until `stop`, beyond what it has now. */
export function watchHost() {
  const before = { processes: countProcesses(), available: readAvailable() };
  const most = { processes: 0, megabytes: 0 };
  const look = () => {
    most.processes = Math.max(most.processes, countProcesses() - before.processes);
    most.megabytes = Math.max(most.megabytes, before.available - readAvailable());
  };
  const timer = setInterval(look, 250);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return most;
    },
  };
}

/** Runs every contender once a round, each round beginning with another one; gives by name what each round measured. */
export async function interleave(contenders, rounds, { warmUp = 1, onRound = () => undefined } = {}) {
  const figures = new Map(contenders.map(({ name }) => [name, []]));
  for (let round = -warmUp; round < rounds; round += 1) {
    onRound(round + 1, rounds);
    const start = (round + warmUp) % contenders.length;
    for (const contender of [...contenders.slice(start), ...contenders.slice(0, start)]) {
      const measured = await contender.run();
      if (round >= 0) figures.get(contender.name).push(measured);
    }
  }
  return figures;
}

const cell = (figure) => figure.toFixed(2).padStart(10);
const columnOf = (rounds, name) => rounds.map((round) => round[name]);
const isCounted = (rounds) => rounds.every(({ instructions }) => instructions !== undefined);

/** One line a contender; `rounds` are `{ seconds, processor, instructions? }`. */
export function printTable(figures) {
  const width = Math.max(...[...figures.keys()].map((name) => name.length));
  const withInstructions = [...figures.values()].every(isCounted);
  const heads = ['median', 'min', 'max', 'processor', ...(withInstructions ? ['10^9 instr'] : [])];
  console.log(`${' '.repeat(width + 2)}${heads.map((word) => word.padStart(10)).join('')}   seconds`);
  for (const [name, rounds] of figures) {
    const all = sorted(columnOf(rounds, 'seconds'));
    const counted = withInstructions ? [median(columnOf(rounds, 'instructions'))] : [];
    const cells = [median(all), all[0], all.at(-1), median(columnOf(rounds, 'processor')), ...counted].map(cell);
    console.log(`  ${name.padEnd(width)}${cells.join('')}`);
  }
}

/**
 * The ratios of two contenders' medians beside the target: in seconds, and in processor time and instructions, which do
 * not depend on other load.
 */
export function printRatio(text, ours, theirs, target) {
  const ratioOf = (name) => median(columnOf(ours, name)) / median(columnOf(theirs, name));
  const ratio = ratioOf('seconds');
  const verdict = (each) => (each <= target ? 'met' : 'NOT met');
  const others = ['processor', ...(isCounted(ours) && isCounted(theirs) ? ['instructions'] : [])];
  const also = others.map((name) => `${name} ${ratioOf(name).toFixed(2)}: ${verdict(ratioOf(name))}`).join(', ');
  console.log(`  ${text}`);
  console.log(`    target at most ${target.toFixed(2)}; seconds ${ratio.toFixed(2)}: ${verdict(ratio)}, ${also}`);
}

export function printCircumstances() {
  const [load] = loadavg();
  const cores = availableParallelism();
  const date = new Date().toISOString().slice(0, 10);
  console.log(`\n  ${date}, ${cores} cores, load ${load.toFixed(1)}, Node ${process.versions.node}, all on loopback`);
  if (load > cores) console.log('  Other programs kept this machine busy: processor time holds better than seconds.');
}
