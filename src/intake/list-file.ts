import { contains, parseAddress, type Address } from '../core/address.js';
import type { Widest } from '../core/flow.js';
import { FirebreakError, quoteBack } from '../core/errors.js';
import type { AlarmValues } from './fields.js';
import { expandAddress } from './lists/list-address.js';
import { isHeading, readCsv } from './lists/list-csv.js';
import { normalizeList } from './lists/list-decode.js';
import { readJson } from './lists/list-json.js';
import { jsonFormatNames } from './lists/list-json-formats.js';
import { isComment, lineFormatNames, readLines } from './lists/list-lines.js';
import { isNft, readNft } from './lists/list-nft.js';
import type { ListContext, ListRow } from './lists/list-row.js';

/** One entry of a list of addresses to block, not yet checked. */
export interface ListEntry {
  /** For people: `line 3`, `entry 3`. */
  where: string;
  fields: AlarmValues;
  /** The firewall that the list names. */
  firewall?: string | undefined;
}

/** A row that is not blocked, and why. */
export interface ListNote {
  where: string;
  reason: string;
}

export interface ParsedList {
  entries: ListEntry[];
  /** Rows that the list says not to block: allowed, expired, disabled, of another kind. */
  skipped: ListNote[];
  /** Rows that cannot be read. */
  bad: ListNote[];
}

export interface ListOptions {
  format?: string | undefined;
  /** The column of the addresses to block. */
  column?: string | undefined;
  /** The widest networks that a range is divided into. */
  widest?: Widest;
  now?: number;
}

/** What `--format` takes; without it the content decides. */
export const listFormats: readonly string[] = [
  ...new Set(['lines', 'csv', 'json', ...lineFormatNames, ...jsonFormatNames]),
];

/**
 * Reads a list as people have them: addresses a line, a table, JSON, what security programs export.
 * @throws FirebreakError list_invalid: of no format, or without an entry
 */
export function parseListFile(text: string, options: ListOptions = {}): ParsedList {
  const { format } = options;
  if (format !== undefined && !listFormats.includes(format)) {
    throw new FirebreakError('usage', `--format: expected ${listFormats.join(', ')}, got ${quoteBack(format)}`);
  }
  const body = normalizeList(text);
  const list = readList(body, options);
  if (list.entries.length === 0 && list.bad.length === 0 && body.trim() !== '') {
    const [first] = list.skipped;
    const why =
      first === undefined ? '' : `: ${list.skipped.length} skipped, the first is ${first.where} (${first.reason})`;
    throw new FirebreakError('list_invalid', `the list has no address to block${why}`);
  }
  return list;
}

/** The same of a text without odd line ends and signs; it may have no entry. */
export function readList(body: string, options: ListOptions): ParsedList {
  const { format, column, widest = { inet: 32, inet6: 128 }, now = Date.now() } = options;
  return sortRows(readRows(body, { now, column, format }), widest);
}

/** Formats of programs that give JSON and another form. */
const textForms: Readonly<Record<string, string>> = {
  ...{ firebreak: 'csv', crowdsec: 'csv', misp: 'csv', otx: 'csv' },
  ...{ spamhaus: 'lines', pfsense: 'lines' },
};

function readRows(body: string, context: ListContext): ListRow[] {
  if (/^\s*</.test(body)) {
    throw new FirebreakError('list_invalid', 'the list is XML or HTML: export it as text, CSV or JSON');
  }
  const { format, column } = context;
  const first = body.split('\n').find((line) => !isComment(line)) ?? '';
  const textForm = format === undefined || isJson(body) ? undefined : textForms[format];
  if (textForm !== undefined) return readRows(body, { ...context, format: textForm });
  if (format === 'csv') return readCsv(body, first, context);
  if (format === 'nft' && !isJson(body)) return readNft(body, context);
  if (format === 'fail2ban' && isJson(body)) return readJson(body, { ...context, format: undefined });
  if (format === 'json' || (format !== undefined && jsonFormatNames.includes(format))) {
    return readJson(body, { ...context, format: format === 'json' ? undefined : format });
  }
  if (format !== undefined) return readLines(body, context);
  if (isJson(body)) return readJson(body, context);
  if (isNft(body)) return readNft(body, context);
  if (column !== undefined || isHeading(first, context)) return readCsv(body, first, context);
  return readLines(body, context);
}

/** `[` alone also begins a group of a list of lines, and an address of IPv6. */
const isJson = (body: string): boolean =>
  /^\s*(?:\{|\[\s*(?:["'{[\]]|$|\d|null))/.test(body) && !/^\s*\[[\da-f]*:/i.test(body);

function sortRows(rows: readonly ListRow[], widest: Widest): ParsedList {
  const list: ParsedList = { entries: [], skipped: [], bad: [] };
  const spared: string[] = [];
  for (const row of rows) {
    if (row.kind === 'skip') {
      list.skipped.push({ where: row.where, reason: row.reason });
      if (row.spared !== undefined) spared.push(row.spared);
    } else if (row.kind === 'bad') list.bad.push({ where: row.where, reason: row.reason });
    else {
      const parts = expandAddress(row.source, widest);
      if ('problem' in parts) list.bad.push({ where: row.where, reason: parts.problem });
      else for (const source of parts) list.entries.push(toEntry(row, source));
    }
  }
  return spared.length === 0 ? list : refuseCovering(list, spared);
}

/** An entry may not cover an address that the list never wants blocked, such as `!192.0.2.7` beside `192.0.2.0/24`. */
function refuseCovering(list: ParsedList, spared: readonly string[]): ParsedList {
  const texts = new Set(spared);
  const addresses = spared.flatMap((text) => toAddress(text) ?? []);
  const findCovered = (source: string): string | undefined => {
    if (texts.has(source) || !source.includes('/')) return texts.has(source) ? source : undefined;
    const network = toAddress(source);
    return network && addresses.find((address) => contains(network, address))?.text;
  };
  const bad = list.entries.flatMap(({ where, fields: { source = '' } }) => {
    const covered = findCovered(source);
    return covered === undefined
      ? []
      : [{ where, reason: `${source} covers ${covered}, which the list says not to block` }];
  });
  const isBad = new Set(bad.map(({ where }) => where));
  return { ...list, entries: list.entries.filter(({ where }) => !isBad.has(where)), bad: [...list.bad, ...bad] };
}

function toAddress(text: string): Address | undefined {
  const parsed = parseAddress(text);
  return parsed.ok ? parsed.address : undefined;
}

const toEntry = ({ where, fields, firewall }: Extract<ListRow, { kind: 'entry' }>, source: string): ListEntry => ({
  where,
  fields: { source, ...fields },
  ...(firewall !== undefined && { firewall }),
});
