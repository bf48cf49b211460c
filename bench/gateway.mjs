// What it costs to record an alarm over SSH: by a program of its own for each, and by one that takes them all.
//
//   node bench/gateway.mjs [--alarms 1000] [--apart 100] [--parallel 30]
//
// The login command is called as sshd would call it, without ssh itself, which costs the same on both ways. Nothing is
// applied: all changes are frozen. Targets: none lost or doubled; 200 alarms a second.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DatabaseSync } from '@photostructure/sqlite';
import { median, printCircumstances, readProcessorTime } from './measure.mjs';
import { callGateway, intakeSocket, makeFrozenLauncher } from './programs.mjs';

const { values } = parseArgs({
  options: {
    alarms: { type: 'string', default: '1000' },
    apart: { type: 'string', default: '100' },
    parallel: { type: 'string', default: '30' },
  },
});
/** Recorded, and frozen. */
const recorded = 7;

const countRows = (launcher, sql) => {
  const database = new DatabaseSync(path.join(launcher.stateDir, 'ledger.db'), { readOnly: true });
  try {
    return Number(Object.values(database.prepare(sql).get())[0]);
  } finally {
    database.close();
  }
};

async function measure(name, launcher, { many, resident }) {
  const sources = Array.from({ length: many }, (_, at) => `100.${64 + (at >> 8)}.${name.length}.${at & 255}`);
  const before = countRows(launcher, 'SELECT count(*) FROM alarm');
  const used = {
    callers: readProcessorTime([process.pid]),
    resident: resident ? readProcessorTime([resident.pid]) : 0,
  };
  const begun = performance.now();
  const times = [];
  const exits = [];
  const work = async () => {
    for (let source = sources.shift(); source !== undefined; source = sources.shift()) {
      const from = performance.now();
      exits.push(await callGateway(launcher, `firebreak block ${source} 192.168.1.10 22 --no-wait`));
      times.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: Number(values.parallel) }, work));
  const seconds = (performance.now() - begun) / 1000;
  const callers = readProcessorTime([process.pid]) - used.callers;
  const own = resident ? readProcessorTime([resident.pid]) - used.resident : 0;
  const kept = exits.filter((exit) => exit === recorded).length;
  const others = [...new Set(exits)].filter((exit) => exit !== recorded);
  const alarms = countRows(launcher, 'SELECT count(*) FROM alarm') - before;
  const ms = (processor) => ((processor * 1000) / many).toFixed(1);
  console.log(
    `${name}: ${many} alarms, ${kept} kept in ${seconds.toFixed(1)} s, ${(many / seconds).toFixed(0)} a second`,
  );
  if (others.length > 0) console.log(`  other exit codes: ${others.join(', ')}`);
  console.log(`  in the ledger: ${alarms}; lost ${Math.max(0, kept - alarms)}, doubled ${Math.max(0, alarms - many)}`);
  console.log(
    `  an alarm: answer ${median(times).toFixed(0)} ms (median); processor ${ms(callers)} ms its caller, ${ms(own)} ms the process that takes all`,
  );
}

process.env.TMPDIR = mkdtempSync(path.join(tmpdir(), 'gateway-'));
const launcher = await makeFrozenLauncher({ gateway: { max_sessions: 1000, max_per_caller: 1000 } });
try {
  await measure('a program for each', launcher, { many: Number(values.apart) });
  const resident = launcher.start(['run']);
  while (!existsSync(intakeSocket(launcher))) await sleep(20);
  await measure('one that takes all', launcher, { many: Number(values.alarms), resident });
  resident.child.kill('SIGTERM');
  await resident.ended;
  printCircumstances();
} finally {
  launcher.remove();
  rmSync(process.env.TMPDIR, { recursive: true, force: true });
}
