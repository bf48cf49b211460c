import { readFileSync } from 'node:fs';
import { parseRange, type Address } from '../core/address.js';
import { describeError } from '../core/describe.js';
import type { Problem } from '../core/errors.js';

/**
 * Reads a list of what is never blocked: an address, network or range a line, `#` begins a comment.
 * A list that cannot be read whole is a problem: going on without it would block what somebody wanted spared.
 */
export function readProtectedFile(file: string): { networks: Address[]; problems: Problem[] } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return { networks: [], problems: [{ path: 'policy.never_block', message: `${file}: ${describeError(error)}` }] };
  }
  const networks: Address[] = [];
  const problems: Problem[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const entry = line.replace(/#.*/, '').trim();
    if (entry === '') continue;
    const parsed = parseRange(entry);
    if (parsed.ok) networks.push(...parsed.networks);
    else problems.push({ path: 'policy.never_block', message: `${file} line ${index + 1}: ${parsed.message}` });
  }
  return { networks, problems: problems.slice(0, 20) };
}
