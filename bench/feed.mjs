// What a feed of CrowdSec costs `firebreak serve`, and the alarms beside it: all decisions new, then known at a restart,
// then deleted, with an alarm every 100 ms of a known sender.
//
//   node bench/feed.mjs [--decisions 20000]
//
// Nothing is applied: all changes are frozen. Targets: no alarm waits more than a second, memory below 200 MB.
import { readFileSync, rmSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DatabaseSync } from '@photostructure/sqlite';
import { bouncerKey, startLocalApi } from '../build/test/lab/crowdsec.js';
import { makeToken, startServing, stopServing } from '../build/test/lab/http-server.js';
import { median, printCircumstances, readProcessorTime } from './measure.mjs';
import { makeFrozenLauncher } from './programs.mjs';

const { values } = parseArgs({ options: { decisions: { type: 'string', default: '20000' } } });
const decisions = Number(values.decisions);
const readPeak = (pid) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

let sent = 0;

/** The milliseconds until an alarm was recorded. */
async function sendAlarm(serving) {
  const begun = performance.now();
  sent += 1;
  const alarm = { src_ip: `100.64.${sent >> 8}.${sent & 255}`, dst_ip: '192.168.1.10', dst_port: 22 };
  const { status } = await serving.post('/api/v1/alarms/generic', alarm);
  if (status !== 202) throw new Error(`the server answered ${status}`);
  return performance.now() - begun;
}

/** Sends alarms until so many blocks of the feed are in these states, and as many requests more were answered. */
async function measure(name, { serving, ledger, api }, isDone) {
  const database = new DatabaseSync(ledger, { readOnly: true });
  const query = database.prepare(
    "SELECT count(*) FILTER (WHERE state = 'pending') AS waiting, count(*) FILTER (WHERE state = 'released') AS released FROM block WHERE destination = '192.168.1.20'",
  );
  const requests = api.requests.length;
  const used = readProcessorTime([serving.pid]);
  const begun = performance.now();
  const alarms = [];
  while (!isDone({ ...query.get(), requests: api.requests.length - requests })) {
    alarms.push(sendAlarm(serving));
    await sleep(Math.max(0, begun + alarms.length * 100 - performance.now()));
  }
  const seconds = (performance.now() - begun) / 1000;
  const processor = readProcessorTime([serving.pid]) - used;
  const times = (await Promise.all(alarms)).sort((one, other) => one - other);
  database.close();
  const cells = [seconds.toFixed(1), processor.toFixed(1), median(times).toFixed(0), times.at(-1).toFixed(0)];
  console.log(
    [name.padEnd(22), ...[...cells, readPeak(serving.pid).toFixed(0)].map((cell) => cell.padStart(11))].join(''),
  );
}

process.env.TMPDIR = mkdtempSync(path.join(tmpdir(), 'feed-'));
const api = await startLocalApi();
const launcher = await makeFrozenLauncher();
try {
  const keyFile = path.join(launcher.folder, 'crowdsec.key');
  writeFileSync(keyFile, `${bouncerKey}\n`, { mode: 0o600 });
  const crowdsec = { url: api.url, key_file: keyFile, every: '1s', destination: '192.168.1.20', port: 443 };
  launcher.configure({ feeds: { crowdsec }, policy: { limits: { active: 1_000_000, per_minute: 1_000_000 } } });
  const sources = Array.from({ length: decisions }, (_, at) => `198.18.${at >> 8}.${at & 255}`);
  const ledger = path.join(launcher.stateDir, 'ledger.db');
  const token = await makeToken(launcher, 'bench');
  console.log(
    `${decisions} decisions: seconds, the server's processor seconds, milliseconds until an alarm beside them is`,
  );
  console.log('recorded, and megabytes of the server at most.\n');
  console.log(
    `${''.padEnd(22)}${['s', 'CPU s', 'median', 'longest', 'memory'].map((word) => word.padStart(11)).join('')}`,
  );
  let serving = await startServing(launcher, token);
  await sleep(3000);
  api.add(...sources);
  await measure('new', { serving, ledger, api }, ({ waiting }) => waiting === decisions);
  await stopServing(serving);
  serving = await startServing(launcher, token);
  await measure('known, at a start', { serving, ledger, api }, ({ requests }) => requests > 1);
  api.remove(...sources);
  await measure('deleted', { serving, ledger, api }, ({ released }) => released === decisions);
  await stopServing(serving);
  printCircumstances();
} finally {
  launcher.remove();
  await api.stop();
  rmSync(process.env.TMPDIR, { recursive: true, force: true });
}
