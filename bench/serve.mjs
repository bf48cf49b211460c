// What `firebreak serve` bears: alarms over HTTP at a steady rate, each with a source of its own.
//
//   node bench/serve.mjs [--rate 500] [--seconds 60] [--senders 50]
//
// Nothing is applied: all changes are frozen. Each sender has one connection, and sends when its time has come, whether
// the last answer is there or not; the time of an answer counts from then. Targets: none lost or doubled, 99 of 100
// answers within 200 ms, the server's memory below 200 MB.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DatabaseSync } from '@photostructure/sqlite';
import { makeToken, startServing, stopServing } from '../build/test/lab/http-server.js';
import { median, printCircumstances, readProcessorTime } from './measure.mjs';
import { makeFrozenLauncher } from './programs.mjs';

const { values: options } = parseArgs({
  options: {
    rate: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '60' },
    senders: { type: 'string', default: '50' },
  },
});
const [rate, seconds, senders] = [options.rate, options.seconds, options.senders].map(Number);

/** The status of the answer; 0 if there was none. */
function post(agent, url, { token, body }) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  return new Promise((resolve) => {
    const call = request(new URL('/api/v1/alarms/generic', url), { method: 'POST', agent, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    call.on('error', () => resolve(0)).end(body);
  });
}

const documentOf = (number) => {
  const source = `100.${64 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
  return JSON.stringify({
    src_ip: source,
    dst_ip: `192.168.1.${10 + (number % 50)}`,
    dst_port: 22,
    description: 'ssh anomaly',
  });
};

/** One sender's alarms; gives `{ status, ms }` of each. */
async function send(sender, { url, token, begun }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const answers = [];
  for (let at = 0; at < (rate * seconds) / senders; at += 1) {
    const due = begun + ((at * senders + sender) * 1000) / rate;
    await sleep(Math.max(0, due - performance.now()));
    const call = post(agent, url, { token, body: documentOf(at * senders + sender) });
    answers.push(call.then((status) => ({ status, ms: performance.now() - due })));
  }
  const all = await Promise.all(answers);
  agent.destroy();
  return all;
}

const readPeak = (pid) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
const countRows = (file, sql) => {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return Number(Object.values(database.prepare(sql).get())[0]);
  } finally {
    database.close();
  }
};

process.env.TMPDIR = mkdtempSync(path.join(tmpdir(), 'serve-'));
const launcher = await makeFrozenLauncher();
try {
  launcher.configure({ serve: { per_second: 1_000_000 } });
  const token = await makeToken(launcher, 'bench');
  const serving = await startServing(launcher, token);
  const used = readProcessorTime([serving.pid]);
  const begun = performance.now() + 200;
  const answers = (
    await Promise.all(Array.from({ length: senders }, (_, at) => send(at, { url: serving.url, token, begun })))
  ).flat();
  const took = (performance.now() - begun) / 1000;
  const processor = readProcessorTime([serving.pid]) - used;
  const peak = readPeak(serving.pid);
  await stopServing(serving);

  const kept = answers.filter(({ status }) => status === 202).length;
  const times = answers.map(({ ms }) => ms).sort((one, other) => one - other);
  const ledger = path.join(launcher.stateDir, 'ledger.db');
  const recorded = countRows(ledger, 'SELECT count(*) FROM alarm');
  const flows = countRows(ledger, 'SELECT count(DISTINCT source) FROM block');
  const others = [...new Set(answers.map(({ status }) => status).filter((status) => status !== 202))];
  console.log(`${answers.length} alarms of ${senders} senders in ${took.toFixed(1)} s: ${kept} answered 202`);
  if (others.length > 0) console.log(`  other answers: ${others.join(', ')}`);
  console.log(`  in the ledger: ${recorded} alarms, ${flows} flows; lost ${kept - flows}, doubled ${recorded - flows}`);
  const share = (part) => times[Math.ceil(times.length * part) - 1].toFixed(0);
  console.log(
    `  answers: median ${median(times).toFixed(0)} ms, 99 of 100 within ${share(0.99)} ms, all ${share(1)} ms`,
  );
  console.log(
    `  processor time: ${((processor * 1000) / answers.length).toFixed(2)} ms an alarm; memory ${peak.toFixed(0)} MB`,
  );
  printCircumstances();
} finally {
  launcher.remove();
  rmSync(process.env.TMPDIR, { recursive: true, force: true });
}
