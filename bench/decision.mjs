// How long the firewall takes to decide who drops a flow's packets, reading of pfctl's output included.
//
//   node bench/decision.mjs [--rounds N]      20 rounds by default
//
// Targets: 30 ms for one flow on 500 rules, 300 ms for 1,000 flows on 1,000 rules, and 300 ms for the choice of their place
// before the edit (pfsense_place: auto).
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { median, printCircumstances } from './measure.mjs';

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } });
const targets = new Map([
  ['one flow, 500 rules', 0.03],
  ['1,000 flows, 1,000 rules', 0.3],
  ['the place of 1,000 flows', 0.3],
]);

const script = path.join(import.meta.dirname, 'decision.py');
const figures = JSON.parse(execFileSync('python3', ['-B', script, options.rounds], { encoding: 'utf8' }));
const cell = (seconds) => (seconds * 1000).toFixed(1).padStart(11);
console.log(`  ${' '.repeat(24)}     median    processor   milliseconds`);
for (const [name, target] of targets) {
  const rounds = figures[name];
  const seconds = median(rounds.map((round) => round.seconds));
  const processor = median(rounds.map((round) => round.processor));
  const verdict = seconds <= target ? 'met' : 'NOT met';
  console.log(`  ${name.padEnd(24)}${cell(seconds)}${cell(processor)}     target ${target * 1000}: ${verdict}`);
}
printCircumstances();
