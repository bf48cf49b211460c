import { statSync } from 'node:fs';

/** Root's, where it is not there yet, or cannot be: what opens the ledger says so. */
function findOwner(folder: string): { uid: number; gid: number } {
  try {
    return statSync(folder);
  } catch {
    return { uid: 0, gid: 0 };
  }
}

/** Node has it; its types have not. */
type WithGroups = NodeJS.Process & { initgroups?: (user: number, group: number) => void };

/**
 * Root goes on as the account whose the state folder is: what root would write there, that account could not change any
 * more. Nothing happens where the folder is root's, or not there yet.
 */
export function becomeOwner(stateDir: string): void {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = findOwner(stateDir);
  if (uid === 0) return;
  try {
    (process as WithGroups).initgroups?.(uid, gid);
  } catch {
    process.setgroups?.([gid]); // a number without a name
  }
  process.setgid?.(gid);
  process.setuid?.(uid);
}
