import { readFileSync } from 'node:fs';
import { parseRange, type Address } from '../core/address.js';
import { describeError } from '../core/describe.js';
import type { Problem } from '../core/errors.js';

/**
 * Reads the list of protected addresses that a key names: one address, network or range per line, `#` begins a comment.
 * A line that cannot be read is a problem, because ignoring it would leave an address unprotected.
 */
export function readProtectedFile(file: string, key: string): { networks: Address[]; problems: Problem[] } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return { networks: [], problems: [{ path: key, message: `${file}: ${describeError(error)}` }] };
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
  return { networks, problems: problems.slice(0, 20) };
}
