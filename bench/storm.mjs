// What becomes of many alarms at once, each for a flow of its own: how many are in force, doubled or lost, and what
// they cost. The article's scripts beside it, for as many alarms as one would wait for.
//
//   node bench/storm.mjs [--alarms 1,20,100,1000] [--parallel 32] [--article 1,20] [--ways waiting,no-wait,resident]
//
// `resident`: the login command hands the alarms over to `firebreak run`, thirty at a time. The others start a program for
// each, so that 10,000 take an hour.
//
// `seconds` is the whole time, from the first call to the last proof. Targets: none lost, none doubled; 100 alarms in at
// most 4 runs; all in force within 15 s after the last was kept; 1,000 kept within 60 s, with a resident in force within
// 15 s and 10,000 within 90 s; less than 1.5 GB of memory; --no-wait takes at most 1.8 times the processor time of a bare `node -e 0`.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { callGateway, intakeSocket } from './programs.mjs';
import { openStage } from '../build/test/lab/demo-stage.js';
import { startFirewall } from '../build/test/lab/firewall.js';
import { makeLauncher, settingsOf } from '../build/test/lab/launcher.js';
import { callArticle, installArticle } from './article/caller.mjs';
import { median, printCircumstances, readProcessorTime, watchHost } from './measure.mjs';

const { values } = parseArgs({
  options: {
    alarms: { type: 'string', default: '1,20,100,1000' },
    parallel: { type: 'string', default: '32' },
    article: { type: 'string', default: '1,20' },
    ways: { type: 'string', default: 'waiting,no-wait,resident' },
  },
});
const numbers = (text) => text.split(',').filter(Boolean).map(Number);
const destination = '192.168.1.10';
const seconds = (ms) => (ms / 1000).toFixed(1);

/** As many processes at a time as the gateway accepts sessions; the others queue, as in the sensor's spool. */
async function atOnce(items, work, parallel = Number(values.parallel)) {
  const queue = [...items];
  const next = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, next));
}

const sourceOf = (index) => `203.${Math.floor(index / 62500)}.${Math.floor(index / 250) % 250}.${1 + (index % 250)}`;

/** How often pf and config.xml have each source: `{ inForce, doubled, lost }`. */
async function count(firewall, sources) {
  const text = firewall.readConfig();
  const times = new Map();
  for (const [, source] of text.matchAll(/<source>\s*<address>([^<]+)<\/address>/g)) {
    times.set(source, (times.get(source) ?? 0) + 1);
  }
  const loaded = new Set((await firewall.loadedRules()).flatMap((rule) => / from (\S+) to 192/.exec(rule)?.[1] ?? []));
  const inForce = sources.filter((source) => loaded.has(source) && times.has(source)).length;
  const doubled = sources.filter((source) => (times.get(source) ?? 0) > 1).length;
  return { inForce, doubled, lost: sources.length - inForce };
}

/** How an alarm is sent; gives the exit code. */
const ways = {
  waiting: (launcher, source) => block(launcher, [source]),
  'no-wait': (launcher, source) => block(launcher, [source, '--no-wait']),
  resident: (launcher, source) => callGateway(launcher, `firebreak block ${source} ${destination} 22 --no-wait`),
};

const block = async (launcher, [source, ...options]) =>
  (await launcher.firebreak(['block', source, destination, '22', ...options])).exit;

async function startResident(launcher) {
  const resident = launcher.start(['run']);
  while (!existsSync(intakeSocket(launcher))) await sleep(20);
  return resident;
}

async function stormOurs(alarms, way) {
  const firewall = await startFirewall();
  const limits = { per_minute: 10_000_000, active: 10_000_000, per_destination: 10_000_000 };
  const launcher = makeLauncher({ edge: settingsOf(firewall) }, { policy: { limits }, ansible: { timeout: '5m' } });
  launcher.configure({ gateway: { max_sessions: 1000, max_per_caller: 1000 } });
  const resident = way === 'resident' ? await startResident(launcher) : undefined;
  try {
    const sources = Array.from({ length: alarms }, (_, index) => sourceOf(index));
    const answers = [];
    let kept = 0;
    const host = watchHost();
    const started = performance.now();
    await atOnce(
      sources,
      async (source) => {
        const begun = performance.now();
        const exit = await ways[way](launcher, source);
        answers.push(performance.now() - begun);
        if (exit === 0 || exit === 8) kept += 1;
      },
      resident === undefined ? undefined : 30,
    );
    const allKept = performance.now() - started;
    const deadline = performance.now() + Math.max(300_000, alarms * 100);
    let found = await count(firewall, sources);
    while (found.lost > 0 && performance.now() < deadline) {
      await sleep(100);
      found = await count(firewall, sources);
    }
    const inForceAfter = performance.now() - started;
    while (!(await isQuiet(launcher))) await sleep(100);
    return {
      ...found,
      ...host.stop(),
      kept,
      allKept,
      runs: launcher.runs().length,
      reloads: firewall.reloads(),
      seconds: inForceAfter,
      after: Math.max(0, inForceAfter - allKept),
      answer: median(answers),
    };
  } finally {
    resident?.child.kill('SIGTERM');
    await resident?.ended;
    launcher.remove();
    await firewall.stop();
  }
}

/** Whether everything is settled, so that no process of the storm is left. */
async function isQuiet(launcher) {
  const { stdout } = await launcher.firebreak(['list', '--state', 'pending']);
  return stdout.startsWith('no blocks') && !(await launcher.firebreak(['drain'])).stderr.includes('another process');
}

async function stormArticle(alarms) {
  const stage = await openStage();
  try {
    installArticle(stage);
    const sources = Array.from({ length: alarms }, (_, index) => sourceOf(index));
    const answers = [];
    const started = performance.now();
    await atOnce(sources, async (source) => {
      const begun = performance.now();
      await callArticle(stage, source, destination).catch(() => undefined);
      answers.push(performance.now() - begun);
    });
    const took = performance.now() - started;
    const reloads = stage.firewall.reloads();
    return {
      ...(await count(stage.firewall, sources)),
      kept: '-',
      runs: alarms,
      reloads,
      seconds: took,
      after: 0,
      answer: median(answers),
    };
  } finally {
    await stage.close();
  }
}

const headings = [
  '',
  'alarms',
  'kept',
  'in force',
  'doubled',
  'lost',
  'runs',
  'reloads',
  'seconds',
  'after last kept',
  'answer',
  'processes',
  'memory',
];

function printRow(name, alarms, row) {
  const cells = [name, alarms, row.kept, row.inForce, row.doubled, row.lost, row.runs, row.reloads];
  const times = [seconds(row.seconds), seconds(row.after), `${Math.round(row.answer)} ms`];
  const host = row.megabytes === undefined ? ['-', '-'] : [row.processes, `${Math.round(row.megabytes)} MB`];
  console.log(
    [...cells, ...times, ...host]
      .map((cell, column) => String(cell).padStart(headings[column].length || 22))
      .join('  '),
  );
}

/** The processor time of node's own start beside ours, taken in turn on the machine as it is now. */
async function compareAnswer() {
  const firewall = await startFirewall();
  const launcher = makeLauncher({ edge: settingsOf(firewall) }, { policy: { limits: { per_minute: 1_000_000 } } });
  const bare = [];
  const ours = [];
  try {
    // One that waits holds the lease: what is measured is an alarm that comes while a run is under way.
    firewall.setFaults({ reloadStall: 20 });
    const holder = launcher.start(['block', sourceOf(0), destination, '22']);
    await launcher.waitForEvent(({ event }) => event === 'task');
    await sleep(2000);
    for (let round = 1; round <= 15; round += 1) {
      bare.push(await timeNode());
      ours.push(await spend(() => launcher.firebreak(['block', sourceOf(round), destination, '22', '--no-wait'])));
    }
    firewall.clearFaults();
    await holder.ended;
    while (!(await isQuiet(launcher))) await sleep(100);
  } finally {
    launcher.remove();
    await firewall.stop();
  }
  return { bare: median(bare), ours: median(ours) };
}

/** Milliseconds of processor time, of this process and the children that ended meanwhile. */
async function spend(work) {
  const before = readProcessorTime([process.pid]);
  await work();
  return (readProcessorTime([process.pid]) - before) * 1000;
}

const timeNode = () =>
  spend(
    () => new Promise((resolve) => spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }).once('close', resolve)),
  );

const verdict = (isMet) => (isMet ? 'met' : 'NOT met');

async function main() {
  console.log(headings.map((name) => (name === '' ? ''.padStart(22) : name)).join('  '));
  const results = [];
  for (const alarms of numbers(values.alarms)) {
    for (const way of values.ways.split(',')) {
      const row = await stormOurs(alarms, way);
      results.push({ alarms, way, ...row });
      printRow(`firebreak, ${way}`, alarms, row);
    }
    if (numbers(values.article).includes(alarms)) {
      const row = await stormArticle(alarms);
      printRow('the article', alarms, row);
      const ours = results.find((each) => each.alarms === alarms);
      console.log(`${''.padStart(22)}  ours / the article: ${(ours.seconds / row.seconds).toFixed(2)}`);
    }
  }
  console.log('');
  const clean = results.every(({ lost, doubled }) => lost === 0 && doubled === 0);
  console.log(`none lost, none doubled: ${verdict(clean)}`);
  const hundred = results.filter(({ alarms }) => alarms === 100);
  if (hundred.length > 0) {
    const most = Math.max(...hundred.map(({ runs }) => runs));
    console.log(`100 alarms in at most 4 runs: ${most}, ${verdict(most <= 4)}`);
  }
  const latest = Math.max(...results.map(({ after }) => after));
  console.log(`in force within 15 s after the last was kept: ${seconds(latest)} s, ${verdict(latest <= 15_000)}`);
  for (const [alarms, limit] of [
    [1000, 15_000],
    [10_000, 90_000],
  ])
    for (const { seconds: ms } of results.filter((each) => each.alarms === alarms && each.way === 'resident'))
      console.log(`${alarms} in force within ${seconds(limit)} s: ${seconds(ms)} s, ${verdict(ms <= limit)}`);
  for (const { allKept, kept } of results.filter(({ alarms, way }) => alarms === 1000 && way === 'no-wait'))
    console.log(`1,000 kept within 60 s: ${kept} in ${seconds(allKept)} s, ${verdict(allKept <= 60_000)}`);
  const most = Math.max(...results.map(({ megabytes }) => megabytes));
  console.log(`less than 1.5 GB of memory: ${Math.round(most)} MB, ${verdict(most < 1500)}`);
  const { bare, ours } = await compareAnswer();
  const ratio = ours / bare;
  const figures = `${Math.round(ours)} ms / ${Math.round(bare)} ms = ${ratio.toFixed(2)}`;
  console.log(
    `--no-wait takes at most 1.8 times the processor time of a bare node -e 0: ${figures}, ${verdict(ratio <= 1.8)}`,
  );
  printCircumstances();
}

process.env.TMPDIR = mkdtempSync(path.join(tmpdir(), 'storm-'));
try {
  await main();
} finally {
  rmSync(process.env.TMPDIR, { recursive: true, force: true });
}
