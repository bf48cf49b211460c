// Programs that the benches run, and what they leave running.
import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { makeLauncher } from '../build/test/lab/launcher.js';

const run = promisify(execFile);

/** A launcher without limits that records and applies nothing: only its ledger is measured. */
export async function makeFrozenLauncher() {
  const limits = { per_minute: 10_000_000, active: 10_000_000, per_destination: 10_000_000 };
  const key = path.join(process.env.TMPDIR, 'key');
  writeFileSync(key, '', { mode: 0o600 });
  const edge = { host: '192.0.2.1', private_key_file: key, known_hosts_file: key, interfaces: { wan: ['0.0.0.0/0'] } };
  const launcher = makeLauncher({ edge }, { policy: { limits } });
  await launcher.firebreak(['freeze', 'bench']);
  return launcher;
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
