import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const length = 32;

/** The key that signs the audit log; undefined if it is missing or invalid. */
export function readAuditKey(file: string): Buffer | undefined {
  try {
    const key = readFileSync(file);
    return key.length === length ? key : undefined;
  } catch {
    return undefined; // missing or unreadable: nothing can be signed or verified with it
  }
}

/** Creates it, readable only by its owner. Lines signed with another key no longer verify. */
export function makeAuditKey(file: string): Buffer {
  const key = randomBytes(length);
  writeFileSync(file, key, { mode: 0o600 });
  return key;
}
