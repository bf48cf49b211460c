import { quoteBack } from '../../core/errors.js';
import type { AlarmValues } from '../fields.js';
import { cleanAddress, isAddressLike } from './list-address.js';
import { isExemptGroup, isProtective } from './list-exempt.js';
import { skipRow, type ListContext, type ListRow } from './list-row.js';
import { readTime } from './list-time.js';

/** One line that is neither empty nor a comment. */
interface Line {
  where: string;
  text: string;
  now: number;
}

/** A format of which each line is read without the others. */
export interface LineFormat {
  name: string;
  /** The lines that it knows; what the expression captures is handed on. */
  pattern: RegExp;
  read: (line: Line, ...captured: string[]) => ListRow[];
}

/** Formats by their lines, the most particular first; any other line is addresses and words. */
export const lineFormats: readonly LineFormat[] = [
  { name: 'ipset', pattern: /^(?:create|flush|destroy|swap|rename|COMMIT)\b/, read: () => [] },
  { name: 'ipset', pattern: /^(?:-A|add) (\S+) (\S+)( .*)?$/, read: readIpset },
  { name: 'nginx', pattern: /^(deny|allow)\s+([^\s;][^;]*);/i, read: readNginx },
  { name: 'fail2ban', pattern: /^(\S+)\s+\d{4}-\d\d-\d\d [\d:]{8} \+ (-?\d+) =(?: (.*))?$/, read: readFail2ban },
  { name: 'fail2ban', pattern: /^(?:Status for the jail\b|[|`]-|\|\s+[|`]-).*$/, read: () => [] },
  { name: 'pfctl', pattern: /^!\s*(\S+)$/, read: (line, word = '') => [asSpared(line, word, 'negated with "!"')] },
  { name: 'pfctl', pattern: /^(?:Cleared:|(?:In|Out)\/)/, read: () => [] },
  { name: 'hosts-deny', pattern: /^([A-Za-z][\w.-]*)\s*:([^:/].*|\s*\[.*)$/, read: readHostsDeny },
  { name: 'dshield', pattern: /^Start\s+End\s+Netblock\b/i, read: () => [] },
  { name: 'dshield', pattern: /^([\d.]+)\t+[\d.]+\t+(\d{1,2})(?:\t.*)?$/, read: readDshield },
];

/** Names of all formats by lines. */
export const lineFormatNames = [...new Set(lineFormats.map(({ name }) => name))];

/** Reads a list of lines; a line such as `[allowlist]` begins a group. */
export function readLines(text: string, { now, format }: ListContext): ListRow[] {
  const known = lineFormats.filter(({ name }) => format === undefined || name === format);
  const readOther = readerOf(format);
  let group: string | undefined;
  return text.split('\n').flatMap((raw, index) => {
    const line = { where: `line ${index + 1}`, text: raw.replace(/^\s*[-*•]\s+/, '').trim(), now };
    if (isComment(line.text)) return [];
    const heading = /^\[([A-Za-z][\w .-]*)\]$|^([A-Za-z][\w -]*):$/.exec(line.text);
    if (heading !== null) {
      group = heading[1] ?? heading[2];
      return [];
    }
    const rows = readKnown(line, known) ?? readOther(line);
    const name = group;
    if (name === undefined || !isExemptGroup(name)) return rows;
    return rows.map((row): ListRow => skipRow(row, `group ${quoteBack(name)}`, isProtective(name)));
  });
}

/** How a line is read that the format does not know: some programs also print addresses alone. */
function readerOf(format: string | undefined): (line: Line) => ListRow[] {
  if (format === undefined || format === 'lines') return readPlain;
  if (format === 'fail2ban' || format === 'pfctl') return (line) => readAll(line, line.text);
  return (line) => [asBad(line, `expected ${format}`)];
}

/** Is there nothing to read in it? */
export const isComment = (text: string): boolean => /^\s*(?:$|#|;|\/\/)/.test(text);

function readKnown(line: Line, formats: readonly LineFormat[]): ListRow[] | undefined {
  const status = /^`-\s*Banned IP list:(.*)$/.exec(line.text);
  if (status !== null)
    return formats.some(({ name }) => name === 'fail2ban') ? readAll(line, status[1] ?? '') : undefined;
  for (const { pattern, read } of formats) {
    const found = pattern.exec(line.text);
    if (found !== null) return read(line, ...found.slice(1));
  }
  return undefined;
}

const asBad = ({ where, text }: Line, expected: string): ListRow => ({
  where,
  kind: 'bad',
  reason: `${expected}, got ${quoteBack(text)}`,
});

const asEntry = ({ where }: Line, word: string, fields: AlarmValues = {}): ListRow => ({
  where,
  kind: 'entry',
  source: cleanAddress(word),
  fields,
});

const asSkip = ({ where }: Line, reason: string): ListRow => ({ where, kind: 'skip', reason });

const asSpared = (line: Line, word: string, reason: string): ListRow => skipRow(asEntry(line, word), reason, true);

/** The entry, or that its time is up. */
function asTimed(line: Line, word: string, { time, ...fields }: AlarmValues): ListRow {
  if (time === undefined) return asEntry(line, word, fields);
  const read = readTime(time, line.now);
  if (read === undefined) return asBad(line, 'expected a duration');
  return 'over' in read ? asSkip(line, 'expired') : asEntry(line, word, { ...fields, duration: read.for });
}

function readIpset(line: Line, ...[set = '', word = '', options = '']: string[]): ListRow[] {
  if (isExemptGroup(set)) return [skipRow(asEntry(line, word), `set ${quoteBack(set)}`, isProtective(set))];
  if (/\snomatch\b/.test(options)) return [asSpared(line, word, 'nomatch')];
  if (word.includes(',')) return [asBad(line, 'expected a set of addresses alone')];
  const comment = /\scomment "([^"]*)"/.exec(options)?.[1];
  const seconds = /\stimeout (\d+)/.exec(options)?.[1];
  const time = seconds === '0' ? 'forever' : seconds;
  return [asTimed(line, word, { time, ...(comment !== undefined && { description: comment }) })];
}

function readNginx(line: Line, verb = '', word = ''): ListRow[] {
  if (verb.toLowerCase() === 'allow') return [asSpared(line, word, 'allow')];
  return isAddressLike(word.trim()) ? [asEntry(line, word)] : [asBad(line, 'expected deny ADDRESS;')];
}

/** `ALL: 203.0.113.7`, `sshd: 203.0.113.7 : ALLOW` */
function readHostsDeny(line: Line, service = '', rest = ''): ListRow[] {
  if (/:\s*allow$/i.test(rest)) return [asSkip(line, 'allow')];
  if (/^(?:ip|range)$/i.test(service)) return readPlain(line);
  return readAll(line, rest.replace(/:\s*deny$/i, ''));
}

/** `fail2ban-client get JAIL banip --with-time`: address, when, how long, until when. */
function readFail2ban(line: Line, ...[word = '', seconds = '', until = '']: string[]): ListRow[] {
  return [asTimed(line, word, { time: seconds === '-1' || until === '' ? 'forever' : until })];
}

function readDshield(line: Line, word = '', prefix = ''): ListRow[] {
  return [asEntry(line, `${word}/${prefix}`)];
}

/** Nothing but addresses. */
function readAll(line: Line, text: string): ListRow[] {
  const tokens = tokensOf(text);
  const odd = tokens.find((token) => !isAddressLike(token));
  if (odd !== undefined) return [asBad(line, `expected only addresses, not ${quoteBack(odd)}`)];
  return tokens.map((token) => asEntry(line, token));
}

const tokensOf = (text: string): string[] => text.split(/[\s,;]+/).filter((token) => token !== '');

/** Addresses, ranges and networks, then perhaps words that say why. */
function readPlain(line: Line): ListRow[] {
  const { body, comment } = splitComment(line.text);
  const { sources, words } = takeAddresses(tokensOf(body));
  const [first] = sources;
  if (first === undefined) return [asBad(line, 'expected an address')];
  const stray = words.find(isAddressLike);
  if (stray !== undefined) return [asBad(line, `${quoteBack(stray)} follows a word: expected addresses first`)];
  if (words.length > 0 && sources.length > 1) {
    return [asBad(line, 'several addresses and a text: which one to block is not clear; use CSV with a heading')];
  }
  if (words[0] === '-' && words[1] === '-') return [asBad(line, "a web server's log is not a list of addresses")];
  const description = words.join(' ').replace(/^"|"$/g, '') || comment;
  return sources.map((source) => asEntry(line, source, description === '' ? {} : { description }));
}

/** A comment begins with # or //, or with ; where no address follows. */
function splitComment(text: string): { body: string; comment: string } {
  const at = text.search(/#|\s\/\/|;(?!\s*["']?[\da-f]*[.:])/i);
  if (at < 0) return { body: text, comment: '' };
  return {
    body: text.slice(0, at),
    comment: text
      .slice(at)
      .replace(/^[\s#/;]+/, '')
      .trim(),
  };
}

/** `a - b`, `a to b`, `net mask`, `net /29` and `net / 29` are one address each. */
function takeAddresses(tokens: readonly string[]): { sources: string[]; words: string[] } {
  const sources: string[] = [];
  let at = 0;
  for (let token = tokens[at]; token !== undefined && isAddressLike(token); token = tokens[at]) {
    const [next = '', afterNext = ''] = tokens.slice(at + 1, at + 3);
    if (/^(?:-|–|to)$/.test(next) && isAddressLike(afterNext)) {
      sources.push(`${cleanAddress(token)}-${cleanAddress(afterNext)}`);
      at += 3;
    } else if (/^\/\d+$/.test(next)) {
      sources.push(`${cleanAddress(token)}${next}`);
      at += 2;
    } else if (next === '/') {
      sources.push(`${cleanAddress(token)}/${afterNext}`);
      at += 3;
    } else if (/^(?:255|0)\.[\d.]+$/.test(next)) {
      // 0.0.0.255 is a router's inverted mask, which is an error of its own.
      sources.push(cleanAddress(`${token}/${next}`));
      at += 2;
    } else {
      sources.push(token);
      at += 1;
    }
  }
  return { sources, words: tokens.slice(at) };
}
