// What the benches share: medians, a table, and a word on how far the figures can be trusted.
import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';

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
const secondsOf = (rounds) => rounds.map(({ seconds }) => seconds);
const processorOf = (rounds) => rounds.map(({ processor }) => processor);

/** One line a contender; `rounds` are `{ seconds, processor }`. */
export function printTable(figures) {
  const width = Math.max(...[...figures.keys()].map((name) => name.length));
  const heads = ['median', 'min', 'max', 'processor'].map((word) => word.padStart(10)).join('');
  console.log(`${' '.repeat(width + 2)}${heads}   seconds`);
  for (const [name, rounds] of figures) {
    const all = sorted(secondsOf(rounds));
    const cells = [median(all), all[0], all.at(-1), median(processorOf(rounds))].map(cell).join('');
    console.log(`  ${name.padEnd(width)}${cells}`);
  }
}

/** The ratio of two contenders' medians beside its target; that of their processor time does not hang on other load. */
export function printRatio(text, ours, theirs, target) {
  const ratio = median(secondsOf(ours)) / median(secondsOf(theirs));
  const processor = median(processorOf(ours)) / median(processorOf(theirs));
  const verdict = ratio <= target ? 'met' : 'NOT met';
  console.log(`  ${text}`);
  console.log(
    `    ${ratio.toFixed(2)}, target at most ${target.toFixed(2)}: ${verdict} (processor time: ${processor.toFixed(2)})`,
  );
}

export function printCircumstances() {
  const [load] = loadavg();
  const cores = availableParallelism();
  console.log(`\n  ${cores} cores, load ${load.toFixed(1)}, Node ${process.versions.node}, all on loopback`);
  if (load > cores) console.log('  Other programs kept this machine busy: the ratios hold better than the seconds.');
}
