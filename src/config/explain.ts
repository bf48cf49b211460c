import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FirebreakError, quoteBack } from '../core/errors.js';
import { findPackageRoot } from './package-root.js';

/** What docs/configuration.md says of a key; a test keeps its tables equal to the schema. */
export interface Explanation {
  key: string;
  /** As it would be written; `none` or `required` in words. */
  default: string;
  meaning: string;
}

/**
 * Finds a key's explanation, or those of all keys below it. A name of your own stands for NAME.
 * @throws FirebreakError usage, where there is no such key
 */
export function explainKey(key: string, root = findPackageRoot()): Explanation[] {
  const all = readTables(readFileSync(join(root, 'docs/configuration.md'), 'utf8'));
  const wanted = key.split('.');
  const found = all.filter((each) => {
    const parts = each.key.split('.');
    return wanted.every((part, at) => part === parts[at] || parts[at] === 'NAME');
  });
  if (found.length > 0) return found;
  const last = wanted.at(-1) ?? '';
  const near = all.filter((each) => each.key.split('.').includes(last)).map((each) => each.key);
  const hint = near.length > 0 ? `; there is ${near.join(', ')}` : '; docs/configuration.md lists them all';
  throw new FirebreakError('usage', `explain: there is no key ${quoteBack(key)}${hint}`);
}

const readTables = (text: string): Explanation[] =>
  [...text.matchAll(/^\| `([\w.]+)` \| (.*?) \| (.*?) \|$/gm)].map(([, key = '', value = '', meaning = '']) => ({
    key,
    default: value.replaceAll('`', ''),
    meaning: meaning.replaceAll('`', '').trim(),
  }));
