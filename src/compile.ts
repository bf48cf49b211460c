// Compiles the program for the Node that runs this: `node dist/compile.js`, after each installation and update of
// either. It calls commands on a ledger of its own, frozen so that nothing is applied, and stores the code they needed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { run } from './cli/run-command.js';
import { loadBundle } from './runtime/code-cache.js';

/** The bundle's name beside this file, from the build. */
declare const bundleName: string;

const alarm = ['203.0.113.7', '192.0.2.10', '22'];
const commands = [
  ['freeze', 'compiling'],
  ['block', ...alarm, '--no-wait'],
  ['block', ...alarm, '--no-wait', '--json'],
  ['list'],
  ['expire'],
];

async function compile(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'firebreak-'));
  try {
    const key = join(folder, 'key');
    const configFile = join(folder, 'firebreak.yml');
    const edge = {
      host: '192.0.2.1',
      private_key_file: key,
      known_hosts_file: key,
      interfaces: { wan: ['0.0.0.0/0'] },
    };
    const config = { state_dir: join(folder, 'state'), log: { file: join(folder, 'log') }, firewalls: { edge } };
    writeFileSync(key, '', { mode: 0o600 });
    writeFileSync(configFile, JSON.stringify(config), { mode: 0o600 });
    const { exports, saveCache } = loadBundle(join(import.meta.dirname, bundleName));
    const program = exports as { run: typeof run };
    for (const words of commands) await program.run([...words, '--config', configFile]);
    saveCache();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.umask(0o022);
void compile().then(() => (process.exitCode = 0)); // the commands have set their own
