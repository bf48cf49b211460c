import { mappedFields, type MappedField } from '../config/schema/serve-keys.js';
import { meets, parseCondition, type Condition } from '../core/condition.js';
import { quoteBack, type Problem } from '../core/errors.js';
import { protocols } from '../core/flow.js';
import { maxTags } from '../core/tags.js';
import type { AlarmRequest } from './alarm.js';
import { alarmFields, toAlarmRequest, type AlarmField, type AlarmValues } from './fields.js';
import { readPath, toWords } from './http-path.js';
import type { FieldValue, Mapping } from './http-presets.js';

/** The most alarms in one request. */
export const maxAlarms = 1000;

export interface HttpAlarms {
  /** Undefined for a document that is not an object. */
  requests: (AlarmRequest | undefined)[];
  /** How many documents do not meet the source's conditions. */
  skipped: number;
  /** What is wrong besides the values, which parseAlarm checks. */
  problems: Problem[];
}

/** A field's name in a JSON document: `src_ip`. */
export const jsonNameOf = ({ name, option }: Pick<AlarmField, 'name' | 'option'>): string =>
  name === 'duration' || name === 'tags' ? name : option.replaceAll('-', '_');

/** The JSON name of what a problem concerns: problems are named by field or by option. */
export function jsonPathOf(path: string): string {
  const field = alarmFields.find(({ name, option }) => path === name || path === option);
  return field === undefined ? path : jsonNameOf(field);
}

/** Reads one document, or a list of them. @param mapping undefined for documents with the names of `generic` */
export function readAlarms(body: unknown, mapping: Mapping | undefined): HttpAlarms {
  const documents = rowsOf(body, mapping);
  if (documents.length === 0) return fail('', 'expected at least one alarm');
  if (documents.length > maxAlarms)
    return fail('', `expected at most ${maxAlarms} alarms in one request, got ${documents.length}`);
  const isList = Array.isArray(body);
  return mapping === undefined ? readGeneric(documents, isList) : readMapped(documents, mapping, isList);
}

const fail = (path: string, message: string): HttpAlarms => ({
  requests: [],
  skipped: 0,
  problems: [{ path, message }],
});

function rowsOf(body: unknown, mapping: Mapping | undefined): readonly unknown[] {
  if (Array.isArray(body)) return body;
  const rows = mapping?.rows;
  if (rows === undefined || typeof body !== 'object' || body === null || !Object.hasOwn(body, rows)) return [body];
  const list = (body as Record<string, unknown>)[rows];
  return Array.isArray(list) ? list : [body];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The path of a problem in a list of alarms. */
export const placeOf = (path: string, index: number, isList: boolean): string =>
  [...(isList ? [index] : []), ...(path === '' ? [] : [path])].join('.');

const notObject = (document: unknown): string => `expected an object, got ${quoteBack(document)}`;

function readGeneric(documents: readonly unknown[], isList: boolean): HttpAlarms {
  const problems: Problem[] = [];
  const byName = new Map(alarmFields.map((field) => [jsonNameOf(field), field]));
  const requests = documents.map((document, index) => {
    const problem = (path: string, message: string): void =>
      void problems.push({ path: placeOf(path, index, isList), message });
    if (!isObject(document)) {
      problem('', notObject(document));
      return undefined;
    }
    const values: Record<string, string> = {};
    for (const [key, value] of Object.entries(document)) {
      const field = byName.get(key);
      if (field === undefined) problem(printable(key), 'unknown field');
      else if (field.isRepeatable === true && isWords(value)) values[field.name] = value.join(' ');
      else if (typeof value === 'string' || typeof value === 'number') values[field.name] = String(value);
      else if (value !== null) problem(key, `expected text or a number, got ${quoteBack(value)}`);
    }
    return toAlarmRequest(values);
  });
  return { requests, skipped: 0, problems };
}

const isWords = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

const printable = (key: string): string => key.replace(/[^\x20-\x7e]/g, '?').slice(0, 60);

function readMapped(documents: readonly unknown[], mapping: Mapping, isList: boolean): HttpAlarms {
  const problems = documents.flatMap((document, index) =>
    isObject(document) ? [] : [{ path: placeOf('', index, isList), message: notObject(document) }],
  );
  const conditions = mapping.when.flatMap((text) => parseCondition(text) ?? []);
  const chosen = documents.filter((document) => conditions.every((each) => isMet(document, each)));
  const requests = chosen.map((document) =>
    isObject(document) ? toAlarmRequest(readValues(document, mapping)) : undefined,
  );
  return { requests, skipped: documents.length - chosen.length, problems };
}

const isMet = (document: unknown, condition: Condition): boolean =>
  meets(readPath(document, condition.path), condition);

function readValues(document: unknown, { fields }: Mapping): AlarmValues {
  const values = alarmFields.flatMap((field) => {
    const name = mappedFields.find((each) => each === jsonNameOf(field));
    const found = name && readValue(document, fields[name], field.isRepeatable);
    const value = found === undefined ? undefined : adapt(name as MappedField, field, found);
    return value === undefined ? [] : [[field.name, value] as const];
  });
  const found: Record<string, string> = Object.fromEntries(values);
  // Many senders know no port, such as that of a failed login: then everything between the two addresses is blocked.
  return found['port'] === undefined && found['protocol'] === undefined ? { ...found, protocol: 'any' } : found;
}

function readValue(document: unknown, field: FieldValue | undefined, isRepeatable = false): string | undefined {
  const read = (from: unknown, path: string) => readPath(from, path, isRepeatable ? toWords : undefined);
  const places = typeof field === 'string' || (field !== undefined && 'value' in field) ? [field] : (field ?? []);
  for (const place of places) {
    const found = typeof place === 'string' ? read(document, place) : String(place.value);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A SIEM's word becomes a tag: it must not lose the alarm. */
const toTags = (text: string): string =>
  text
    .toLowerCase()
    .split(/[\s,;]+/)
    .map((word) => word.replaceAll(/[^a-z0-9]+/g, '-').slice(0, 32))
    .slice(0, maxTags)
    .join(' ');

const protocolNumbers: Readonly<Record<string, string>> = { '1': 'icmp', '6': 'tcp', '17': 'udp', '58': 'icmp' };

/**
 * What a SIEM records beside the flow must not lose the alarm: an application protocol is not a transport protocol, and
 * its ids may have any form.
 */
function adapt(name: MappedField, { isContext }: AlarmField, text: string): string | undefined {
  if (isContext === true) return text.replace(/[^A-Za-z0-9.:_-]+/g, '_').slice(0, 64);
  if (name === 'tags') return toTags(text);
  if (name !== 'protocol') return text;
  const protocol = protocolNumbers[text] ?? text.toLowerCase().replace('ipv6-icmp', 'icmp');
  return protocols.find((each) => each === protocol);
}
