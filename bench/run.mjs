// Runs the benches: `npm run bench`, or `npm run bench -- NAME [options]`. Each is a file of its own beside this one
// (bench/speed.mjs is `speed`) that measures when it is run, prints a table, and leaves nothing behind.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';

const folder = import.meta.dirname;
const benches = readdirSync(folder)
  .filter((name) => name.endsWith('.mjs') && !['run.mjs', 'measure.mjs', 'programs.mjs'].includes(name))
  .map((name) => path.basename(name, '.mjs'));

const [first, ...others] = process.argv.slice(2);
const isName = first !== undefined && !first.startsWith('-');
const bench = isName ? first : 'speed';
const options = isName ? others : process.argv.slice(2);

if (!benches.includes(bench)) {
  console.error(`bench: there is no "${bench}"; there are: ${benches.join(', ')}`);
  process.exitCode = 2;
} else {
  const child = spawn(process.execPath, [path.join(folder, `${bench}.mjs`), ...options], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('close', (code) => (process.exitCode = code ?? 1));
}
