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

/** Reads the configuration and continues as the account that owns its state folder. @throws FirebreakError config_* */
export function openConfig(file: string): Config {
  const config = loadConfig(file);
  becomeOwner(config.state_dir);
  return config;
}
