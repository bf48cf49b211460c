// What calls cost with 0, 10,000 and 100,000 blocks in force in the ledger: processor time and memory of each.
//
//   node bench/growth.mjs [--standing 0,10000,100000] [--rounds 5]
//
// Nothing is applied: all changes are frozen. Targets: recording an alarm and `expire` cost the same; `list` needs less
// than 100 MB. What the firewall does with many rules is in bench/batch.mjs.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { median, printCircumstances, readProcessorTime } from './measure.mjs';
import { fillLedger, makeFrozenLauncher } from './programs.mjs';

const { values: options } = parseArgs({
  options: { standing: { type: 'string', default: '0,10000,100000' }, rounds: { type: 'string', default: '5' } },
});
const sizes = options.standing.split(',').map(Number);
const destination = '192.168.1.10';

/** Milliseconds of processor time, and megabytes. */
async function measure(launcher, words) {
  const usage = `process.on('exit', () => console.error('rss ' + process.resourceUsage().maxRSS))`;
  const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(usage)}` };
  const before = readProcessorTime([process.pid]);
  const { exit, stderr } = await launcher.firebreak(words, { env });
  if (exit !== 0 && exit !== 7) throw new Error(`${words.join(' ')} ended with ${exit}: ${stderr}`);
  return {
    ms: (readProcessorTime([process.pid]) - before) * 1000,
    megabytes: Number(/rss (\d+)/.exec(stderr)[1]) / 1024,
  };
}

let sources = 0;
const calls = {
  'block --no-wait': () => ['block', `203.0.113.${1 + (sources++ % 250)}`, destination, '22', '--no-wait'],
  expire: () => ['expire'],
  list: () => ['list'],
  'list --json': () => ['list', '--json'],
  status: () => ['status'],
};

async function measureAll(standing) {
  const launcher = await makeFrozenLauncher();
  try {
    await launcher.firebreak(['block', '198.51.100.1', destination, '22', '--for', 'forever', '--no-wait']);
    if (standing > 0) fillLedger(path.join(launcher.stateDir, 'ledger.db'), standing);
    const measured = {};
    for (const [name, words] of Object.entries(calls)) {
      const rounds = [];
      for (let round = 0; round < Number(options.rounds); round += 1) rounds.push(await measure(launcher, words()));
      measured[name] = {
        ms: median(rounds.map(({ ms }) => ms)),
        megabytes: Math.max(...rounds.map(({ megabytes }) => megabytes)),
      };
    }
    return measured;
  } finally {
    launcher.remove();
  }
}

process.env.TMPDIR = mkdtempSync(path.join(tmpdir(), 'growth-'));
try {
  console.log(`Processor time of a call (median of ${options.rounds}), and its memory at most.\n`);
  const names = Object.keys(calls);
  console.log(['blocks in force', ...names].map((name) => name.padStart(20)).join(''));
  for (const standing of sizes) {
    const measured = await measureAll(standing);
    const cells = names.map((name) => `${measured[name].ms.toFixed(0)} ms, ${measured[name].megabytes.toFixed(0)} MB`);
    console.log([String(standing), ...cells].map((cell) => cell.padStart(20)).join(''));
  }
  printCircumstances();
} finally {
  rmSync(process.env.TMPDIR, { recursive: true, force: true });
}
