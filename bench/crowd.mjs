// What `firebreak serve` bears beside its senders: an alarm every 100 ms of a known sender, while others hold 10,000
// connections, or do not read large answers.
//
//   node bench/crowd.mjs [--connections 10000] [--readers 200] [--standing 100000] [--seconds 15] [--only NAME]
//
// Nothing is applied: all changes are frozen. There are as many connections as the descriptors allow (`ulimit -n`); one
// that the server closes is opened again, 100 a second at most. Targets: every alarm is recorded, 99 of 100 within 1 s, and the memory does not
// grow with the readers.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { median, printCircumstances } from './measure.mjs';

const head = (line, token = '') => `${line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n`;
const post = 'POST /api/v1/alarms/generic';
const bodyHead = 'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{';

/** Who takes part, what each sends at once, and what each sends more every second. */
const crowds = {
  nobody: { who: 'none', first: () => '' },
  'idle connections': { who: 'connections', first: () => '' },
  'half a request': { who: 'connections', first: () => head(post), more: 'X-A: b\r\n' },
  'slow bodies': { who: 'connections', first: (token) => head(post, token) + bodyHead, more: ' ' },
  'unread documents': { who: 'connections', first: () => `${head('GET /openapi.json')}\r\n` },
  'many requests each': { who: 'connections', first: () => `${head('GET /openapi.json')}\r\n`.repeat(20) },
  'unread lists': { who: 'readers', first: (token) => `${head('GET /lists/blocked.txt', token)}\r\n` },
  'unread blocks': { who: 'readers', first: (token) => `${head('GET /api/v1/blocks?limit=1000', token)}\r\n` },
};

/** Opens 1,000 connections a second, and then 100 a second instead of those that are closed: in a thread of its own, so that it does not delay the alarms. */
async function hold({ name, many, url, token }) {
  const { hostname, port } = new URL(url);
  const { first, more } = crowds[name];
  const sockets = new Set();
  for (let tick = 0, opened = 0; ; tick += 1) {
    const most = opened < many ? 100 : 10;
    for (let index = 0; index < most && sockets.size < many; index += 1) {
      opened += 1;
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      socket.once('connect', () => socket.pause()); // it never reads
      socket.write(first(token));
      sockets.add(socket);
    }
    if (tick % 10 === 9 && more !== undefined) for (const socket of sockets) socket.write(more);
    await sleep(100);
  }
}

const readPeak = (pid) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

let sources = 0;

/** The status of an alarm's answer, and the milliseconds until it came. */
async function sendAlarm(serving) {
  const begun = performance.now();
  sources += 1;
  const alarm = { src_ip: `100.64.${sources >> 8}.${sources & 255}`, dst_ip: '192.168.1.10', dst_port: 22 };
  const status = await serving.post('/api/v1/alarms/generic', alarm).then(
    (answer) => answer.status,
    (error) => error.cause?.code ?? String(error),
  );
  return { status, ms: performance.now() - begun };
}

async function measure(serving, crowd, seconds) {
  await sleep(8000); // until what is done at the start is done
  writeFileSync(`/proc/${serving.pid}/clear_refs`, '5'); // the highest is counted anew
  const worker = new Worker(new URL(import.meta.url), { workerData: { ...crowd, url: serving.url } });
  const begun = performance.now();
  const alarms = [];
  while (performance.now() - begun < seconds * 1000) {
    alarms.push(sendAlarm(serving));
    await sleep(Math.max(0, begun + alarms.length * 100 - performance.now()));
  }
  const answers = await Promise.race([
    Promise.all(alarms),
    sleep(
      60_000,
      alarms.map(() => ({ status: 'late', ms: 60_000 })),
    ),
  ]);
  const memory = readPeak(serving.pid);
  await worker.terminate();
  return { answers, memory };
}

async function runAll({ connections, readers, standing, seconds, only }) {
  const { makeToken, startServing, stopServing } = await import('../build/test/lab/http-server.js');
  const { fillLedger, makeFrozenLauncher } = await import('./programs.mjs');
  const descriptors = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))[1]);
  const sizes = { none: 0, readers, connections: Math.min(connections, descriptors - 200) };
  process.env.TMPDIR = mkdtempSync(path.join(tmpdir(), 'crowd-'));
  const launcher = await makeFrozenLauncher();
  try {
    await launcher.firebreak(['block', '198.51.100.1', '192.168.1.10', '22', '--for', 'forever', '--no-wait']);
    fillLedger(path.join(launcher.stateDir, 'ledger.db'), standing);
    const sender = await makeToken(launcher, 'sender');
    const token = await makeToken(launcher, 'other', '--scope', 'operate');
    console.log(
      `An alarm every 100 ms for ${seconds} s, beside ${standing} blocks in force: milliseconds until it is recorded,`,
    );
    console.log('and megabytes of the server at most.\n');
    const heads = ['number', 'recorded', 'median', '99 of 100', 'longest', 'memory'];
    console.log(`${'others hold'.padEnd(22)}${heads.map((word) => word.padStart(11)).join('')}`);
    for (const [name, { who }] of Object.entries(crowds).filter(([each]) => only === undefined || each === only)) {
      const serving = await startServing(launcher, sender);
      try {
        print(name, sizes[who], await measure(serving, { name, many: sizes[who], token }, seconds));
      } finally {
        await stopServing(serving);
      }
    }
    printCircumstances();
  } finally {
    launcher.remove();
    rmSync(process.env.TMPDIR, { recursive: true, force: true });
  }
}

function print(name, many, { answers, memory }) {
  const times = answers.map(({ ms }) => ms).sort((one, other) => one - other);
  const recorded = answers.filter(({ status }) => status === 202).length;
  const figures = [median(times), times[Math.ceil(times.length * 0.99) - 1], times.at(-1), memory];
  const cells = [many, `${recorded}/${answers.length}`, ...figures.map((figure) => figure.toFixed(0))];
  console.log(`${name.padEnd(22)}${cells.map((cell) => String(cell).padStart(11)).join('')}`);
  const others = [...new Set(answers.map(({ status }) => status).filter((status) => status !== 202))];
  if (others.length > 0) console.log(`  other answers: ${others.join(', ')}`);
}

if (isMainThread) {
  const { values } = parseArgs({
    options: {
      connections: { type: 'string', default: '10000' },
      readers: { type: 'string', default: '200' },
      standing: { type: 'string', default: '100000' },
      seconds: { type: 'string', default: '15' },
      only: { type: 'string' },
    },
  });
  const [connections, readers, standing, seconds] = [
    values.connections,
    values.readers,
    values.standing,
    values.seconds,
  ].map(Number);
  await runAll({ connections, readers, standing, seconds, only: values.only });
} else {
  await hold(workerData);
}
