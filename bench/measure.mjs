// What the benches share: medians, a table, and a word on how far the figures can be trusted.
import { availableParallelism, loadavg } from 'node:os';

const sorted = (figures) => [...figures].sort((one, other) => one - other);

export function median(figures) {
  const all = sorted(figures);
  const middle = Math.floor(all.length / 2);
  return all.length % 2 === 1 ? all[middle] : (all[middle - 1] + all[middle]) / 2;
}

/** Runs every contender once a round, each round beginning with another one; gives the seconds of each by name. */
export async function interleave(contenders, rounds, { warmUp = 1, onRound = () => undefined } = {}) {
  const figures = new Map(contenders.map(({ name }) => [name, []]));
  for (let round = -warmUp; round < rounds; round += 1) {
    onRound(round + 1, rounds);
    const start = (round + warmUp) % contenders.length;
    for (const contender of [...contenders.slice(start), ...contenders.slice(0, start)]) {
      const seconds = await contender.run();
      if (round >= 0) figures.get(contender.name).push(seconds);
    }
  }
  return figures;
}

const cell = (figure) => figure.toFixed(2).padStart(8);

export function printTable(figures) {
  const width = Math.max(...[...figures.keys()].map((name) => name.length));
  console.log(`${' '.repeat(width + 2)}${['median', 'min', 'max'].map((word) => word.padStart(8)).join('')}   seconds`);
  for (const [name, seconds] of figures) {
    const all = sorted(seconds);
    console.log(`  ${name.padEnd(width)}${cell(median(all))}${cell(all[0])}${cell(all.at(-1))}`);
  }
}

/** The ratio of two contenders' medians beside its target; that of their fastest rounds says how much is chance. */
export function printRatio(text, ours, theirs, target) {
  const ratio = median(ours) / median(theirs);
  const fastest = Math.min(...ours) / Math.min(...theirs);
  const verdict = ratio <= target ? 'met' : 'NOT met';
  console.log(`  ${text}`);
  console.log(
    `    ${ratio.toFixed(2)} (fastest rounds: ${fastest.toFixed(2)}), target at most ${target.toFixed(2)}: ${verdict}`,
  );
}

export function printCircumstances() {
  const [load] = loadavg();
  const cores = availableParallelism();
  console.log(`\n  ${cores} cores, load ${load.toFixed(1)}, Node ${process.versions.node}, all on loopback`);
  if (load > cores) console.log('  Other programs kept this machine busy: the ratios hold better than the seconds.');
}
