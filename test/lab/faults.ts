import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What goes wrong on the firewall. Times are in seconds. */
export interface Faults {
  /** pf refuses the next set, or every set, though nothing is wrong with it. */
  readonly refuse?: 'next' | 'every';
  /** How long an asynchronous reload waits before it starts; 0.3 without this. */
  readonly reloadDelay?: number;
  /** A reload takes this much longer. */
  readonly reloadStall?: number;
  /** A reload never ends. */
  readonly reloadHang?: boolean;
  /** pfctl exits 1, as without the right to /dev/pf. */
  readonly pfctlFails?: boolean;
  /** pfctl does not show the states (`-ss`), and answers all else. */
  readonly statesFail?: boolean;
  /** pfctl does not show the translations (`-sn`), and answers all else. */
  readonly translationsFail?: boolean;
  /** pfctl shows the set before last until this long after a load. */
  readonly proofLate?: number;
  readonly pfctlMissing?: boolean;
  readonly phpMissing?: boolean;
  readonly lockfMissing?: boolean;
}

const programs = {
  pfctlMissing: 'sbin/pfctl',
  phpMissing: 'usr/local/bin/php',
  lockfMissing: 'usr/bin/lockf',
} as const;

function setMissing(file: string, missing: boolean): void {
  const away = path.join(path.dirname(file), `.${path.basename(file)}.missing`);
  if (missing === existsSync(away)) return;
  renameSync(missing ? file : away, missing ? away : file);
}

/** Puts these faults in force and no others. */
function writeFaults(root: string, faults: Faults): void {
  const file = path.join(root, 'var/lab/faults.json');
  writeFileSync(`${file}.tmp`, JSON.stringify(faults));
  renameSync(`${file}.tmp`, file);
  for (const [name, program] of Object.entries(programs)) {
    setMissing(path.join(root, program), faults[name as keyof typeof programs] === true); // the table's own keys
  }
}

/** Adds to the faults in force; a stand-in may have used one up meanwhile, so they are read afresh. */
export function addFaults(root: string, faults: Faults): void {
  const file = path.join(root, 'var/lab/faults.json');
  const known: object = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as object) : {};
  writeFaults(root, { ...known, ...faults });
}

export function clearFaults(root: string): void {
  writeFaults(root, {});
}
