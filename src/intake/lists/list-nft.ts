import { quoteBack } from '../../core/errors.js';
import { cleanAddress } from './list-address.js';
import { isExemptGroup, isProtective } from './list-exempt.js';
import { skipRow, type ListContext, type ListRow } from './list-row.js';
import { readTime } from './list-time.js';

/** Is it what `nft list set` or `nft list ruleset` prints? */
export const isNft = (text: string): boolean => /\belements = \{/.test(text);

/** Reads the elements of all sets of addresses. */
export function readNft(text: string, context: ListContext): ListRow[] {
  const plain = text.replace(/"[^"\n]*"/g, (quoted) => quoted.replace(/[{},]/g, ' '));
  const [before = '', ...parts] = plain.split(/\belements = \{/);
  let line = before.split('\n').length;
  let set = nameOf(before);
  return parts.flatMap((part) => {
    const end = part.indexOf('}');
    const where = `line ${line}`;
    const rows: ListRow[] =
      end < 0
        ? [{ where, kind: 'bad', reason: `the elements of set ${quoteBack(set)} have no end` }]
        : readElements(part.slice(0, end), { set, line, context });
    line += part.split('\n').length - 1;
    set = nameOf(part);
    return rows;
  });
}

/** The set that begins last in it. */
const nameOf = (text: string): string => [...text.matchAll(/\bset (\S+) \{/g)].at(-1)?.[1] ?? '';

function readElements(
  text: string,
  { set, line, context }: { set: string; line: number; context: ListContext },
): ListRow[] {
  let at = line;
  return text.split(',').flatMap((part): ListRow[] => {
    const lead = /^\s*/.exec(part)?.[0] ?? '';
    const where = `line ${at + lead.split('\n').length - 1}`;
    at += part.split('\n').length - 1;
    const [word, ...options] = part.trim().split(/\s+/);
    if (word === undefined || word === '') return [];
    const row = readElement({ where, word, options: options.join(' ') }, context);
    return [isExemptGroup(set) ? skipRow(row, `set ${quoteBack(set)}`, isProtective(set)) : row];
  });
}

function readElement(
  { where, word, options }: { where: string; word: string; options: string },
  { now }: ListContext,
): ListRow {
  if (options.startsWith('. ')) return { where, kind: 'bad', reason: 'expected a set of addresses alone' };
  const text = /\bexpires (\S+)/.exec(options)?.[1] ?? /\btimeout (\S+)/.exec(options)?.[1];
  const time = text === undefined ? undefined : readTime(text, now);
  if (text !== undefined && time === undefined) {
    return { where, kind: 'bad', reason: `expected a duration, got ${quoteBack(text)}` };
  }
  if (time !== undefined && 'over' in time) return { where, kind: 'skip', reason: 'expired' };
  const description = /\bcomment "([^"]*)"/.exec(options)?.[1];
  return {
    where,
    kind: 'entry',
    source: cleanAddress(word),
    fields: { ...(time !== undefined && { duration: time.for }), ...(description !== undefined && { description }) },
  };
}
