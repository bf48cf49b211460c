// What a batch costs against a single block: the real ansible-playbook on playbooks/apply.yml, the lab's firewall.
//
//   npm run --silent build && node bench/batch.mjs [--runs 5] [--sizes 1,1000,10000]
//
// Prints the median of each step, and how many times the single block's that is. Sizes take turns within a round, so
// that a busy minute of the machine falls on all of them.
import { parseArgs } from 'node:util';
import { startFirewall } from '../build/test/lab/firewall.js';
import { runPlaybook } from '../build/test/lab/ansible.js';

const { values: options } = parseArgs({
  options: { runs: { type: 'string', default: '5' }, sizes: { type: 'string', default: '1,1000,10000' } },
});
const sizes = options.sizes.split(',').map(Number);
const steps = ['add', 'again', 'mixed', 'remove'];

/** `count` flows that differ in their source, from number `from` on. */
function makeFlows(count, from = 0) {
  return Array.from({ length: count }, (_, index) => {
    const number = from + index;
    const source = `203.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
    const flow = { source, destination: '192.168.1.10', port: '22', description: 'blocked for ssh anomaly' };
    // Marked as the launcher does it.
    return Object.fromEntries(Object.entries(flow).map(([name, word]) => [name, { __ansible_unsafe: word }]));
  });
}

/** Half of what stands goes, and as many others come. */
function mix(size) {
  const half = Math.ceil(size / 2);
  return { present: makeFlows(half, size), absent: makeFlows(half) };
}

const batches = {
  add: (size) => ({ present: makeFlows(size) }),
  again: (size) => ({ present: makeFlows(size) }),
  mixed: mix,
  remove: (size) => ({ absent: makeFlows(size + Math.ceil(size / 2)) }),
};

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

async function time(firewall, batch) {
  const start = performance.now();
  const run = await runPlaybook(firewall, batch);
  const ms = performance.now() - start;
  if (!run.result().proven) throw new Error(`A run proved nothing:\n${run.text}`);
  return ms;
}

const firewall = await startFirewall();
const times = new Map(sizes.flatMap((size) => steps.map((step) => [`${size} ${step}`, []])));
try {
  await time(firewall, {}); // the connection, and the disk's cache
  for (let round = 0; round < Number(options.runs); round += 1) {
    for (const size of sizes) {
      for (const step of steps) times.get(`${size} ${step}`).push(await time(firewall, batches[step](size)));
    }
  }
} finally {
  await firewall.stop();
}

const single = (step) => median(times.get(`${sizes[0]} ${step}`));
console.log(`median of ${options.runs}, in ms (times the batch of ${sizes[0]})`);
console.log(['flows'.padStart(8), ...steps.map((step) => step.padStart(16))].join(''));
for (const size of sizes) {
  const cells = steps.map((step) => {
    const ms = median(times.get(`${size} ${step}`));
    return `${ms.toFixed(0)} (${(ms / single(step)).toFixed(1)})`.padStart(16);
  });
  console.log([String(size).padStart(8), ...cells].join(''));
}
