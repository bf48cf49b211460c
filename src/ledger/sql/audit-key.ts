import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const length = 32;

/** The key that signs the audit log; undefined where there is none, or what is there is none. */
export function readAuditKey(file: string): Buffer | undefined {
  try {
    const key = readFileSync(file);
    return key.length === length ? key : undefined;
  } catch {
    return undefined; // not there, or not ours to read: then nothing can be signed or checked with it
  }
}

/** Makes it, for its owner alone. Lines that another one signed are told as not ours from then on. */
export function makeAuditKey(file: string): Buffer {
  const key = randomBytes(length);
  writeFileSync(file, key, { mode: 0o600 });
  return key;
}
