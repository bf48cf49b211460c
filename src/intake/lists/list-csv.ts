import { parse as parseCsv } from 'csv-parse/sync';
import { describeError } from '../../core/describe.js';
import { FirebreakError, quoteBack } from '../../core/errors.js';
import { isAddressLike } from './list-address.js';
import { isOurs, readOurBlock } from './list-firebreak.js';
import { columnName, hasSource, readRecord, type ListRecord } from './list-record.js';
import type { ListContext, ListRow } from './list-row.js';

const delimiters = [',', ';', '\t', '|'];

/** A heading that names indicators of control servers: their destination is the address to block. */
const isControlServers = (names: readonly string[]): boolean =>
  names.includes('c2_status') && names.includes('dst_ip') && !names.includes('src_ip');

/** The delimiter of a heading is the one that it has most often. */
const delimiterOf = (line: string): string =>
  delimiters.reduce((best, each) => (line.split(each).length > line.split(best).length ? each : best));

/** Does a list begin with a heading? @param first its first line that is not a comment */
export function isHeading(first: string, context: ListContext): boolean {
  const cells = first.split(delimiterOf(first)).map((cell) => cell.trim().replace(/^"|"$/g, ''));
  if (cells.some((cell) => cell.split(/\s+/).some(isAddressLike))) return false;
  const names = cells.map(columnName);
  if (names.includes('netblock') || /^(?:deny|allow)\s/i.test(first)) return false; // DShield's, nginx's
  return cells.length > 1 ? cells.every((cell) => !/[=:{}]/.test(cell)) : hasSource(names, context);
}

/** What csv-parse gives with `info`. */
interface CsvRow {
  record: string[];
  info: { lines: number };
}

/**
 * Reads a table with a heading.
 * @throws FirebreakError list_invalid: broken quotes, no column of addresses
 */
export function readCsv(text: string, first: string, context: ListContext): ListRow[] {
  const [heading, ...rows] = parseRows(text, delimiterOf(first));
  const names = (heading?.record ?? []).map(columnName);
  const renamed = isControlServers(names) ? names.map(asControlServer) : names;
  if (!hasSource(renamed, context)) {
    const wanted = context.column === undefined ? 'no known column of addresses' : `no column ${context.column}`;
    throw new FirebreakError(
      'list_invalid',
      `${wanted} among ${names.map(quoteBack).join(', ')}: name the column of the addresses to block with --column`,
    );
  }
  return rows.map((row) => readRow(renamed, row, context));
}

const asControlServer = (name: string): string => ({ dst_ip: 'src_ip', dst_port: 'c2_port' })[name] ?? name;

function parseRows(text: string, delimiter: string): CsvRow[] {
  try {
    return parseCsv(text, {
      delimiter,
      comment: '#',
      comment_no_infix: true,
      trim: true,
      relax_column_count: true,
      skip_empty_lines: true,
      info: true,
    }) as unknown as CsvRow[]; // its types know rows with names only
  } catch (error) {
    throw new FirebreakError('list_invalid', `the list is not valid CSV: ${describeError(error)}`);
  }
}

function readRow(names: readonly string[], { record: cells, info }: CsvRow, context: ListContext): ListRow {
  const where = `line ${info.lines}`;
  const isExtra = cells.slice(names.length).some((cell) => cell !== '');
  if (isExtra || cells.length < names.length) {
    return { where, kind: 'bad', reason: `expected ${names.length} columns, got ${cells.length}` };
  }
  const record: ListRecord = Object.fromEntries(names.map((name, at) => [name, cells[at] ?? '']));
  return isOurs(record) ? readOurBlock(where, record, context) : readRecord(where, record, context);
}
