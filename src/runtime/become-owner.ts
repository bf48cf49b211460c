import { statSync } from 'node:fs';
import { loadConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';

/** Root, if the folder is missing or unreadable: opening the ledger reports that. */
function findOwner(folder: string): { uid: number; gid: number } {
  try {
    return statSync(folder);
  } catch {
    return { uid: 0, gid: 0 };
  }
}

/** Node has this function; its types do not. */
type WithGroups = NodeJS.Process & { initgroups?: (user: number, group: number) => void };

/**
 * Root continues as the account that owns the state folder: that account could not change files that root writes
 * there. Does nothing if the folder is root's or missing.
 */
function becomeOwner(stateDir: string): void {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = findOwner(stateDir);
  if (uid === 0) return;
  try {
    (process as WithGroups).initgroups?.(uid, gid);
  } catch {
    process.setgroups?.([gid]); // a uid without a name
  }
  process.setgid?.(gid);
  process.setuid?.(uid);
}

/**
 * A member of the owner's group continues as the owner too, through the sudo rule that install writes: this process
 * is replaced by one of the owner's. Does nothing for anyone else, or without the rule.
 */
function continueThroughSudo(stateDir: string): void {
  const own = process.geteuid?.() ?? 0;
  const { uid, gid } = findOwner(stateDir);
  if (own === 0 || uid === 0 || uid === own || process.getgroups?.().includes(gid) !== true) return;
  const { spawnSync } = process.getBuiltinModule('node:child_process'); // loaded here, because few calls need it
  const [, program = '', ...args] = process.argv;
  const as = ['-n', '-u', `#${uid}`];
  const allowed = [[program], [process.execPath, program]].find(
    (command) => spawnSync('sudo', [...as, '-l', '--', ...command, ...args], { stdio: 'ignore' }).status === 0,
  );
  if (allowed === undefined) return;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined); // the other process ends, then this one
  const { status } = spawnSync('sudo', [...as, '--', ...allowed, ...args], { stdio: 'inherit' });
  process.exit(status ?? 1);
}

/** Reads the configuration and continues as the account that owns its state folder. @throws FirebreakError config_* */
export function openConfig(file: string): Config {
  const config = loadConfig(file);
  becomeOwner(config.state_dir);
  continueThroughSudo(config.state_dir);
  return config;
}
