// Programs that the benches run, and what they leave running.
import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { DatabaseSync } from '@photostructure/sqlite';
import { makeLauncher, program } from '../build/test/lab/launcher.js';
import { packageRoot } from '../build/test/lab/package-root.js';

const run = promisify(execFile);

/** A launcher without limits that records and applies nothing: only its ledger is measured. */
export async function makeFrozenLauncher(settings = {}) {
  const limits = { per_minute: 10_000_000, active: 10_000_000, per_destination: 10_000_000 };
  const key = path.join(process.env.TMPDIR, 'key');
  writeFileSync(key, '', { mode: 0o600 });
  const edge = { host: '192.0.2.1', private_key_file: key, known_hosts_file: key, interfaces: { wan: ['0.0.0.0/0'] } };
  const launcher = makeLauncher({ edge }, { policy: { limits }, ...settings });
  await launcher.firebreak(['freeze', 'bench']);
  return launcher;
}

const handOver = path.join(packageRoot, 'templates/host/hand-over.py');
export const intakeSocket = (launcher) => path.join(launcher.stateDir, 'intake.sock');

/** Calls the login command as sshd would, without ssh itself; gives its exit code. */
export function callGateway(launcher, request) {
  const own = [process.execPath, program, 'gateway', '--config', launcher.configFile];
  const env = {
    ...{ PATH: process.env.PATH, HOME: launcher.home, TMPDIR: process.env.TMPDIR },
    ...{ SSH_CLIENT: '192.0.2.9 40000 22', SSH_ORIGINAL_COMMAND: request },
  };
  const words = ['-IS', handOver, intakeSocket(launcher), ...own];
  return new Promise((resolve) =>
    spawn('/usr/bin/python3', words, { env, stdio: 'ignore' }).once('close', (exit) => resolve(exit)),
  );
}

/** Copies the one block, its alarm and their link for other sources, as blocks in force. */
export function fillLedger(file, many) {
  const database = new DatabaseSync(file);
  const columns = database
    .prepare('PRAGMA table_info(block)')
    .all()
    .map(({ name }) => name)
    .filter((name) => name !== 'seq');
  const changes = {
    id: "printf('01K%023d', n)",
    source: "printf('10.%d.%d.%d', n / 65536, n / 256 % 256, n % 256)",
    tracker: '2100000000 + n',
    state: "'active'",
    due_at: 'NULL',
    created_at: 'block.created_at - 86400000',
  };
  const numbers = `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${many})`;
  const values = columns.map((name) => changes[name] ?? `block.${name}`);
  database.exec(`BEGIN;
    ${numbers} INSERT INTO block (${columns.join(', ')}) SELECT ${values.join(', ')} FROM numbers, (SELECT * FROM block LIMIT 1) AS block;
    ${numbers} INSERT INTO alarm_block (alarm, block) SELECT printf('02K%023d', n), printf('01K%023d', n) FROM numbers;
    ${numbers} INSERT INTO alarm (id, received_at, origin, context)
      SELECT printf('02K%023d', n), received_at - 86400000, origin, context FROM numbers, (SELECT * FROM alarm LIMIT 1);
    COMMIT`);
  database.close();
}

/** Runs a program to its end and gives its seconds; rejects with what it said if it fails. */
export function time(file, args, { cwd, env }) {
  const started = performance.now();
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    // Its exit, not the end of its pipes: ssh's master holds them for as long as it waits for the next run.
    child.once('exit', (code) => {
      const seconds = (performance.now() - started) / 1000;
      child.stdout.destroy();
      child.stderr.destroy();
      if (code === 0) resolve(seconds);
      else reject(new Error(`${path.basename(file)} ended with ${code}:\n${said}`));
    });
  });
}

/** Ends the ssh masters whose sockets lie in the folder. */
export async function closeConnections(folder) {
  if (!existsSync(folder)) return;
  for (const socket of readdirSync(folder)) {
    await run('ssh', ['-o', `ControlPath=${path.join(folder, socket)}`, '-O', 'exit', 'any']).catch(() => undefined);
  }
}
