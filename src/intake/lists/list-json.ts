import { describeError } from '../../core/describe.js';
import { FirebreakError, quoteBack } from '../../core/errors.js';
import { findJsonFormat, isObject, type JsonObject, type Place } from './list-json-formats.js';
import { flatten } from './list-json-record.js';
import { isAddressLike, cleanAddress } from './list-address.js';
import { hasSource, readRecord } from './list-record.js';
import { isExemptGroup, isProtective } from './list-exempt.js';
import { skipRow, type ListContext, type ListRow } from './list-row.js';
import { pythonToJson } from './list-python.js';

/** No program's list is deeper. */
const deepest = 20;

/**
 * Reads one JSON document, JSON lines, or the Python that fail2ban prints.
 * @throws FirebreakError list_invalid: not JSON, nested too deep
 */
export function readJson(text: string, context: ListContext): ListRow[] {
  const whole = parse(text);
  if (whole.ok) return readValue(whole.value, { context, where: '' });
  const lines = text.split('\n').map((line) => line.trim());
  const first = lines.find((line) => line !== '') ?? '';
  if (first === text.trim() || !parse(first).ok) {
    throw new FirebreakError('list_invalid', `the list is not valid JSON: ${whole.message}`);
  }
  return lines.flatMap((line, index): ListRow[] => {
    const where = `line ${index + 1}`;
    if (line === '') return [];
    const parsed = parse(line);
    if (!parsed.ok) return [{ where, kind: 'bad', reason: `not valid JSON: ${parsed.message}` }];
    // Elasticsearch's bulk form says before each document where it goes.
    if (isObject(parsed.value) && 'index' in parsed.value && Object.keys(parsed.value).length === 1) return [];
    return readElement(parsed.value, { context, where, isLine: true });
  });
}

type Parsed = { ok: true; value: unknown } | { ok: false; message: string };

function parse(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    const json = pythonToJson(text);
    if (json === undefined) return { ok: false, message: describeError(error) };
    try {
      return { ok: true, value: JSON.parse(json) };
    } catch {
      return { ok: false, message: describeError(error) };
    }
  }
}

interface At {
  context: ListContext;
  where: string;
  /** Where a row is a line, its entries are not counted. */
  isLine?: boolean;
  depth?: number;
}

function readValue(value: unknown, at: At): ListRow[] {
  const counter = { next: 1 };
  return walk(value, { ...at, depth: 0, isElement: false, counter });
}

function readElement(value: unknown, at: At): ListRow[] {
  return walk(value, { ...at, depth: 0, isElement: true, counter: { next: 1 } });
}

interface Step extends At {
  depth: number;
  /** An element of a list has to have an address; what is beside a list need not. */
  isElement: boolean;
  counter: { next: number };
}

const whereOf = ({ isLine = false, where, counter }: Step): string => (isLine ? where : `entry ${counter.next++}`);

/** Lists in lists, and the wrappers that programs put around theirs, down to addresses and objects that hold one. */
function walk(value: unknown, step: Step): ListRow[] {
  if (step.depth > deepest) {
    throw new FirebreakError('list_invalid', `the list is nested more than ${deepest} deep`);
  }
  const inner = { ...step, depth: step.depth + 1 };
  if (Array.isArray(value)) return value.flatMap((each) => walk(each, { ...inner, isElement: true }));
  if (isObject(value)) return walkObject(value, inner);
  if (!step.isElement) return [];
  const where = whereOf(step);
  return typeof value === 'string' && isAddressLike(value.trim())
    ? [{ where, kind: 'entry', source: cleanAddress(value) }]
    : [{ where, kind: 'bad', reason: `expected an address, got ${quoteBack(value)}` }];
}

function walkObject(object: JsonObject, step: Step): ListRow[] {
  const place: Place = {
    context: step.context,
    nextWhere: () => whereOf(step),
    walk: (value) => walk(value, { ...step, isElement: true }),
  };
  const rows = findJsonFormat(object, step.context)?.read(object, place);
  if (rows !== undefined) return rows;
  const record = flatten(object);
  if (hasSource(Object.keys(record), step.context)) return [readRecord(whereOf(step), record, step.context)];
  const found = Object.entries(object).flatMap(([name, value]) =>
    isExemptGroup(name) ? skipAll(value, name, step) : walkMember(name, value, step),
  );
  if (found.length > 0 || !step.isElement || Object.values(object).every(isEmptyList)) return found;
  return [
    { where: whereOf(step), kind: 'bad', reason: `no address among ${quoteBack(Object.keys(object).join(', '))}` },
  ];
}

/** The name may be the address itself: `{"203.0.113.7": {"until": …}}`. */
function walkMember(name: string, value: unknown, step: Step): ListRow[] {
  if (!isAddressLike(name)) return walk(value, { ...step, isElement: false });
  const where = whereOf(step);
  if (value === false) return [{ where, kind: 'skip', reason: `${name} is false` }];
  const record = isObject(value) ? flatten(value) : {};
  return [readRecord(where, { ...record, address: name }, step.context)];
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

const skipAll = (value: unknown, name: string, step: Step): ListRow[] =>
  walk(value, { ...step, isElement: false }).map((row) => skipRow(row, `group ${quoteBack(name)}`, isProtective(name)));
