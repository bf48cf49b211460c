/* global fetch, TextDecoderStream, URLSearchParams */
// The page with 100,000 blocks in force: how soon a browser shows the list, and what a server with many open pages needs.
//
//   node bench/page.mjs [--standing 100000] [--rounds 15] [--pages 100]
//
// Targets: first paint within 300 ms on loopback; less than 250 MB with 100 open pages. An open page is a session of its
// own with its event stream, which fetches the list again at each change as a browser does.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openLedger } from '../build/src/ledger/index.js';
import { findBrowser, startBrowser } from '../build/test/lab/browser.js';
import { startServing, stopServing } from '../build/test/lab/http-server.js';
import { median, printCircumstances, readProcessorTime } from './measure.mjs';
import { fillLedger, makeFrozenLauncher } from './programs.mjs';

const { values: options } = parseArgs({
  options: {
    standing: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '15' },
    pages: { type: 'string', default: '100' },
  },
});
const [standing, rounds, pages] = [options.standing, options.rounds, options.pages].map(Number);
const destination = '192.168.1.10';
const password = 'correct horse battery';

const block = (launcher, source) =>
  launcher.firebreak(['block', source, destination, '22', '--for', 'forever', '--no-wait']);

const form = (fields) => ({ method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' });

async function logIn({ url }) {
  const reply = await fetch(`${url}/login`, form({ name: 'bench', password }));
  const cookie = reply.headers.get('set-cookie');
  if (cookie === null) throw new Error(`the login was answered with ${reply.status}`);
  return cookie.split(';')[0];
}

const paintTime = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime";

/** Milliseconds until the answer has arrived, and until the browser has painted the first of it. */
async function measurePaint(serving) {
  const browser = await startBrowser(findBrowser() ?? fail('there is no chromium on this machine'));
  try {
    const [name, value] = (await logIn(serving)).split('=');
    const measured = {};
    for (const where of ['/', '/?q=10.1.134.0/24', '/?q=anomaly']) {
      const all = [];
      for (let round = -1; round < rounds; round += 1) {
        const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
        await context.addCookies([{ name, value, url: serving.url }]);
        const page = await context.newPage();
        await page.goto(`${serving.url}/account`); // so that the browser's process runs, and has the style and the scripts
        await page.goto(serving.url + where);
        while (!(await page.evaluate(`${paintTime} !== undefined`))) await sleep(10);
        const answer = await page.evaluate("performance.getEntriesByType('navigation')[0].responseEnd");
        const paint = await page.evaluate(paintTime);
        if (round >= 0) all.push({ answer, paint });
        await context.close();
      }
      measured[where] = all;
    }
    return measured;
  } finally {
    await browser.close();
  }
}

const fail = (text) => {
  throw new Error(text);
};

/** Follows the ledger as the list does, until the server ends its stream. */
async function openPage(serving, cookie, counts) {
  const get = (where) => fetch(serving.url + where, { headers: { cookie, 'hx-request': 'true' } });
  await (await get('/')).text();
  const stream = await get('/events');
  if (!stream.ok) throw new Error(`the stream was answered with ${stream.status}`);
  counts.open += 1;
  const reader = stream.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    if (!value.includes('event: change')) continue;
    await (await get('/')).text();
    counts.refreshed += 1;
  }
}

const readMemory = (pid, field) =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

/** Megabytes of the server with its pages open, while nothing happens and after changes. */
async function measureMemory(launcher, serving) {
  const before = readMemory(serving.pid, 'VmRSS');
  const counts = { open: 0, refreshed: 0 };
  const open = [];
  for (let page = 0; page < pages; page += 1) open.push(openPage(serving, await logIn(serving), counts));
  const failed = Promise.all(open); // a page that fails ends the measurement
  const until = (isSo) =>
    Promise.race([
      failed,
      (async () => {
        while (!isSo()) await sleep(50);
      })(),
    ]);
  await until(() => counts.open === pages && counts.refreshed >= pages);
  const quiet = readMemory(serving.pid, 'VmRSS');
  const opening = readMemory(serving.pid, 'VmHWM');
  writeFileSync(`/proc/${serving.pid}/clear_refs`, '5'); // the highest is counted anew
  const processor = readProcessorTime([serving.pid]);
  const changes = 5;
  for (let change = 1; change <= changes; change += 1) {
    const { refreshed } = counts;
    await block(launcher, `203.0.113.${change}`);
    await until(() => counts.refreshed >= refreshed + pages);
  }
  const refreshed = counts.refreshed - pages;
  const cost = ((readProcessorTime([serving.pid]) - processor) * 1000) / refreshed;
  failed.catch(() => undefined); // their connections end with the server
  return { before, opening, quiet, most: readMemory(serving.pid, 'VmHWM'), cost };
}

/** Waits until the server has done what it does at its start and each minute: with many blocks it takes seconds. */
async function untilExpired(launcher) {
  const file = path.join(launcher.stateDir, 'ledger.db');
  const ledger = await openLedger({ file });
  const started = await ledger.now();
  while (((await ledger.findOverview([])).lastExpireAt ?? 0) < started) await sleep(100);
  await ledger.close();
}

/** Starts the server, measures, and ends it. */
async function whileServing(launcher, measure) {
  const serving = await startServing(launcher, '');
  try {
    await untilExpired(launcher);
    return await measure(serving);
  } finally {
    await stopServing(serving);
  }
}

const cell = (figures) => `${median(figures).toFixed(0)} (${Math.max(...figures).toFixed(0)})`.padStart(16);

function printPaint(painted) {
  console.log(`The list with ${standing} blocks in force, medians (and the longest) of ${rounds}, in milliseconds.\n`);
  console.log(`${''.padEnd(22)}${'answer'.padStart(16)}${'first paint'.padStart(16)}`);
  for (const [where, all] of Object.entries(painted)) {
    const [answers, paints] = [all.map(({ answer }) => answer), all.map(({ paint }) => paint)];
    console.log(`  ${where.padEnd(20)}${cell(answers)}${cell(paints)}`);
  }
}

process.env.TMPDIR = mkdtempSync(path.join(tmpdir(), 'page-'));
const launcher = await makeFrozenLauncher({ serve: { page: { enabled: true } } });
try {
  await block(launcher, '198.51.100.1');
  fillLedger(path.join(launcher.stateDir, 'ledger.db'), standing);
  const file = path.join(launcher.folder, 'password');
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  await launcher.firebreak(['user', 'add', 'bench', '--role', 'operator', '--password-file', file]);
  printPaint(await whileServing(launcher, measurePaint));
  const { before, opening, quiet, most, cost } = await whileServing(launcher, (serving) =>
    measureMemory(launcher, serving),
  );
  console.log(`\nThe server with ${pages} pages, in megabytes.\n`);
  for (const [name, figure] of [
    ['without a page', before],
    ['at most, as they log in', opening],
    ['all open', quiet],
    ['at most, as they follow', most],
  ])
    console.log(`  ${name.padEnd(26)}${figure.toFixed(0).padStart(6)}`);
  console.log(`\nA page that fetches the list again takes ${cost.toFixed(0)} ms of processor time.`);
  printCircumstances();
} finally {
  launcher.remove();
  rmSync(process.env.TMPDIR, { recursive: true, force: true });
}
