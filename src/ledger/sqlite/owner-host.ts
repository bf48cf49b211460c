import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { FirebreakError } from '../../core/errors.js';

/** A host, by its machine id. The id itself is confidential (machine-id(5)), so only its hash is stored. */
interface OwnerHost {
  id: string;
  name: string;
}

/**
 * SQLite serialises the processes of one host only: two hosts that share a disk would damage the ledger. The first host
 * that opens it leaves its name beside it, and another one is refused. Without a machine id nothing is checked.
 * @throws FirebreakError ledger_foreign
 */
export function checkOwnerHost(file: string, here = findHost()): void {
  if (here === undefined) return;
  const record = `${file}.host`;
  const owner = readOwner(record);
  if (owner === undefined) return claim(record, here);
  if (owner.id === here.id) return;
  throw new FirebreakError(
    'ledger_foreign',
    `${file}: the ledger belongs to host ${owner.name}, and this is host ${here.name}; give each host a state_dir of its own, or both a ledger on a database server (docs/adding.md). If you moved it here, delete ${record}`,
  );
}

function findHost(): OwnerHost | undefined {
  try {
    const machine = readFileSync('/etc/machine-id', 'utf8').trim();
    if (!/^[0-9a-f]{32}$/.test(machine)) return undefined;
    return { id: createHash('sha256').update(`firebreak ${machine}`).digest('hex'), name: hostname() };
  } catch {
    return undefined; // a container without one
  }
}

function readOwner(record: string): OwnerHost | undefined {
  try {
    const { id, name } = JSON.parse(readFileSync(record, 'utf8')) as Record<string, unknown>;
    return typeof id === 'string' && typeof name === 'string' ? { id, name } : undefined;
  } catch {
    return undefined; // not written yet, or not in full
  }
}

function claim(record: string, here: OwnerHost): void {
  try {
    writeFileSync(record, `${JSON.stringify(here)}\n`, { mode: 0o600, flag: 'wx' });
  } catch {
    return; // another process was faster, or the disk cannot be written, which opening the ledger reports
  }
}
