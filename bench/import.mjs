// What importing a long list costs, and how long an alarm takes meanwhile.
//
//   node bench/import.mjs [--entries 20000] [--alarms 10]
//
// Nothing is applied: all changes are frozen. Targets: 20,000 entries in 10 s of processor time; no alarm takes a second
// longer than one without an import. At least `--alarms` are measured before the import; then one after the other until
// it ends.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { median, printCircumstances, readProcessorTime } from './measure.mjs';
import { makeFrozenLauncher } from './programs.mjs';

const { values: options } = parseArgs({
  options: { entries: { type: 'string', default: '20000' }, alarms: { type: 'string', default: '10' } },
});
const entries = Number(options.entries);
const destination = '192.168.1.10';

let sent = 0;

/** Milliseconds from the call to its answer. */
async function sendAlarm(launcher) {
  const source = `198.51.${Math.floor(sent / 250)}.${1 + (sent % 250)}`;
  sent += 1;
  const begun = performance.now();
  const { exit, stderr } = await launcher.firebreak(['block', source, destination, '22', '--no-wait']);
  if (![0, 7, 8].includes(exit)) throw new Error(`the alarm ended with ${exit}: ${stderr}`);
  return performance.now() - begun;
}

const tell = (name, figures) =>
  console.log(
    `${name.padEnd(20)}${String(figures.length).padStart(8)}${median(figures).toFixed(0).padStart(10)} ms` +
      `${Math.max(...figures)
        .toFixed(0)
        .padStart(10)} ms`,
  );

process.env.TMPDIR = mkdtempSync(path.join(tmpdir(), 'import-'));
const launcher = await makeFrozenLauncher();
try {
  const list = path.join(process.env.TMPDIR, 'list.txt');
  const sourceOf = (at) => `203.${Math.floor(at / 62_500)}.${Math.floor(at / 250) % 250}.${1 + (at % 250)}`;
  writeFileSync(list, Array.from({ length: entries }, (_, at) => sourceOf(at)).join('\n'));

  const before = [];
  while (before.length < Number(options.alarms)) before.push(await sendAlarm(launcher));

  const during = [];
  const base = sent;
  const started = performance.now();
  const used = readProcessorTime([process.pid]);
  let isOver = false;
  const words = ['import', list, '--dst-ip', destination, '--dst-port', '22', '--no-wait'];
  const imported = launcher.firebreak(words).finally(() => (isOver = true));
  while (!isOver) during.push(await sendAlarm(launcher));
  const { exit, stderr } = await imported;
  if (![0, 7, 8].includes(exit)) throw new Error(`the import ended with ${exit}: ${stderr}`);
  const seconds = (performance.now() - started) / 1000;
  const both = readProcessorTime([process.pid]) - used;

  const single = readProcessorTime([process.pid]);
  const after = [];
  while (after.length < Number(options.alarms)) after.push(await sendAlarm(launcher));
  const perAlarm = (readProcessorTime([process.pid]) - single) / after.length;
  const processor = both - perAlarm * (sent - base - after.length);

  console.log(`${entries} entries: about ${processor.toFixed(1)} s of processor time, ${seconds.toFixed(0)} s\n`);
  console.log(`${''.padEnd(20)}${'alarms'.padStart(8)}${'median'.padStart(13)}${'longest'.padStart(13)}`);
  tell('before the import', before);
  tell('during the import', during);
  tell('after the import', after);
  printCircumstances();
} finally {
  launcher.remove();
  rmSync(process.env.TMPDIR, { recursive: true, force: true });
}
