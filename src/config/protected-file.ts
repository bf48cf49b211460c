import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseRange, type Address } from '../core/address.js';
import { describeError } from '../core/describe.js';
import type { Problem } from '../core/errors.js';

export interface ProtectedList {
  networks: Address[];
  problems: Problem[];
  /** Why the last good content is in force, or nothing. */
  warning?: string;
}

/** Where the last good content of a list is stored. */
export const copyOf = (file: string, stateDir: string): string =>
  join(stateDir, 'never-block', `${createHash('sha256').update(file).digest('hex').slice(0, 12)}-${basename(file)}`);

/**
 * Reads the list of protected addresses that a key names. If the file has vanished or was emptied, its last good content
 * stays in force, because otherwise nothing would be protected, unnoticed.
 */
export function readProtectedFile(file: string, key: string, stateDir: string): ProtectedList {
  const list = readList(file, key);
  if (list.networks.length > 0 || (list.problems.length > 0 && !list.isMissing)) return list;
  const why = list.isMissing ? 'does not exist' : 'has no entries';
  const copy = copyOf(file, stateDir);
  const last = readList(copy, key);
  if (last.networks.length > 0 && last.problems.length === 0) {
    const { networks } = last;
    const warning = `${key}: ${file} ${why}: its last content stays protected; correct the file, or delete ${copy} to end it`;
    return { networks, problems: [], warning };
  }
  return list.isMissing ? list : { ...list, warning: `${key}: ${file} ${why}, so it protects nothing` };
}

/**
 * Reads a list: one address, network or range per line, `#` begins a comment.
 * A line that cannot be read is a problem, because ignoring it would leave an address unprotected.
 */
function readList(file: string, key: string): ProtectedList & { isMissing: boolean } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return { networks: [], problems: [{ path: key, message: `${file}: ${describeError(error)}` }], isMissing };
  }
  const networks: Address[] = [];
  const problems: Problem[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const entry = line.replace(/#.*/, '').trim();
    if (entry === '') continue;
    const parsed = parseRange(entry);
    if (parsed.ok) networks.push(...parsed.networks);
    else problems.push({ path: key, message: `${file} line ${index + 1}: ${parsed.message}` });
  }
  return { networks, problems: problems.slice(0, 20), isMissing: false };
}
