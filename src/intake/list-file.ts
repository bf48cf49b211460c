import { parse as parseCsv } from 'csv-parse/sync';
import { describeError } from '../core/describe.js';
import { FirebreakError, quoteBack } from '../core/errors.js';
import { alarmFields, type AlarmValues } from './fields.js';

/** One entry of a list of addresses to block, not yet checked. */
export interface ListEntry {
  /** For people: `line 3`, `entry 3`. */
  where: string;
  fields: AlarmValues;
}

const expectedForms = 'a list is CSV with a heading, JSON, or one address per line';

/**
 * Parses a list as CSV with a heading, as JSON (ours, CrowdSec's, fail2ban's), or as one address per line.
 * @throws FirebreakError list_invalid
 */
export function parseListFile(text: string): ListEntry[] {
  const body = text.replace(/^\uFEFF/, '');
  if (/^\s*[[{]/.test(body)) return parseJson(body);
  const first = body.split('\n').find((line) => line.trim() !== '' && !line.trim().startsWith('#')) ?? '';
  return first.includes(',') ? parseTable(body) : parseLines(body);
}

function parseLines(text: string): ListEntry[] {
  return text.split('\n').flatMap((line, index) => {
    const [source] = line.replace(/#.*/, '').trim().split(/\s+/);
    return source === undefined || source === '' ? [] : [{ where: `line ${index + 1}`, fields: { source } }];
  });
}

/** What csv-parse returns with `info`. */
interface CsvRow {
  record: Record<string, string>;
  info: { lines: number };
}

function parseTable(text: string): ListEntry[] {
  try {
    const rows = parseCsv<CsvRow>(text, {
      columns: (heading: string[]) => heading.map((name) => name.trim().toLowerCase()),
      comment: '#',
      trim: true,
      skip_empty_lines: true,
      info: true,
    });
    return rows.map(({ record, info }) => ({ where: `line ${info.lines}`, fields: pickFields(record) }));
  } catch (error) {
    throw new FirebreakError('list_invalid', `not a CSV list: ${describeError(error)}; ${expectedForms}`);
  }
}

function parseJson(text: string): ListEntry[] {
  let parsed: unknown;
  try {
    // fail2ban prints its list with single quotes
    parsed = JSON.parse(text.includes('"') ? text : text.replaceAll("'", '"'));
  } catch (error) {
    throw new FirebreakError('list_invalid', `not a JSON list: ${describeError(error)}; ${expectedForms}`);
  }
  return flatten(parsed, 0).map((item, index) => ({ where: `entry ${index + 1}`, fields: fieldsOf(item) }));
}

/** No known program nests its list deeper. */
const deepest = 20;

/** Flattens nested lists and the wrappers that programs put around them, down to addresses and objects with one. */
function flatten(value: unknown, depth: number): unknown[] {
  if (depth > deepest)
    throw new FirebreakError('list_invalid', `not a list: nested more than ${deepest} deep; ${expectedForms}`);
  if (Array.isArray(value)) return value.flatMap((each) => flatten(each, depth + 1));
  if (typeof value !== 'object' || value === null) return [value];
  if ('blocks' in value) return flatten(value.blocks, depth + 1);
  if ('decisions' in value) return flatten(value.decisions, depth + 1);
  const values = Object.values(value) as unknown[];
  return values.length > 0 && values.every(Array.isArray) ? flatten(values, depth + 1) : [value];
}

function fieldsOf(item: unknown): AlarmValues {
  if (typeof item === 'string') return { source: item };
  if (typeof item !== 'object' || item === null)
    throw new FirebreakError('list_invalid', `not an address: ${quoteBack(item)}; ${expectedForms}`);
  return pickFields(Object.fromEntries(Object.entries(item).map(([name, value]) => [name.toLowerCase(), value])));
}

function pickFields(record: Readonly<Record<string, unknown>>): AlarmValues {
  const values = alarmFields.flatMap(({ name, columns = [] }) => {
    const value = columns.map((column) => (Object.hasOwn(record, column) ? record[column] : undefined)).find(isValue);
    return value === undefined ? [] : [[name, String(value)]];
  });
  return Object.fromEntries(values) as AlarmValues;
}

const isValue = (value: unknown): value is string | number =>
  (typeof value === 'string' && value !== '') || typeof value === 'number';
