import { quoteBack } from '../../core/errors.js';
import { cleanAddress } from './list-address.js';
import { isOurs, readOurBlock } from './list-firebreak.js';
import { flatten } from './list-json-record.js';
import { readRecord, type ListRecord } from './list-record.js';
import { isExempt, isExemptGroup, isProtective } from './list-exempt.js';
import { skipRow, type ListContext, type ListRow } from './list-row.js';
import { readTime } from './list-time.js';

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Where an object is, and how to go on from there. */
export interface Place {
  context: ListContext;
  /** The place of the next row, for people. */
  nextWhere: () => string;
  /** Reads a value below, of whatever format. */
  walk: (value: unknown) => ListRow[];
}

/** A format of which each object is known without the others. */
export interface JsonFormat {
  name: string;
  isIt: (object: JsonObject) => boolean;
  read: (object: JsonObject, place: Place) => ListRow[];
}

/** Formats by their objects, the most particular first; any other object is a record, or holds some. */
const jsonFormats: readonly JsonFormat[] = [
  { name: 'firebreak', isIt: isOurs, read: readOurs },
  { name: 'crowdsec', isIt: ({ decisions }) => decisions === null || Array.isArray(decisions), read: readAlert },
  { name: 'crowdsec', isIt: (object) => isStream(object), read: readStream },
  { name: 'suricata', isIt: ({ event_type: type }) => typeof type === 'string', read: readSuricata },
  { name: 'elastic', isIt: ({ _source: source }) => isObject(source), read: readElastic },
  { name: 'spamhaus', isIt: ({ type, cidr }) => type === 'metadata' && cidr === undefined, read: () => [] },
  { name: 'misp', isIt: ({ Attribute: list }) => Array.isArray(list), read: readMispEvent },
  { name: 'stix', isIt: ({ type, objects }) => type === 'bundle' && Array.isArray(objects), read: readBundle },
  { name: 'stix', isIt: isStix, read: readStix },
  {
    name: 'otx',
    isIt: ({ indicators }) => Array.isArray(indicators),
    read: (pulse, { walk }) => walk(pulse['indicators']),
  },
  {
    name: 'opnsense',
    isIt: ({ content, enabled }) => typeof content === 'string' && enabled !== undefined,
    read: readOpnsense,
  },
  {
    name: 'pfsense',
    isIt: ({ address, name }) => Array.isArray(address) && typeof name === 'string',
    read: readPfsense,
  },
  { name: 'nft', isIt: ({ nftables }) => Array.isArray(nftables), read: readNftJson },
];

/** Names of all formats by objects. */
export const jsonFormatNames = [...new Set(jsonFormats.map(({ name }) => name))];

/** The format that knows the object; only the one that the caller names, if any. */
export const findJsonFormat = (object: JsonObject, { format }: ListContext): JsonFormat | undefined =>
  jsonFormats.find(({ name, isIt }) => (format === undefined || format === name) && isIt(object));

const skip = ({ nextWhere }: Place, reason: string): ListRow[] => [{ where: nextWhere(), kind: 'skip', reason }];

const record = (values: ListRecord, { nextWhere, context }: Place): ListRow[] => [
  readRecord(nextWhere(), values, context),
];

const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

function readOurs(object: JsonObject, { nextWhere, context }: Place): ListRow[] {
  return [readOurBlock(nextWhere(), flatten(object), context)];
}

function readAlert({ decisions, simulated }: JsonObject, place: Place): ListRow[] {
  if (simulated === true) return skip(place, 'simulated');
  return Array.isArray(decisions) && decisions.length > 0 ? place.walk(decisions) : skip(place, 'no decision');
}

const isList = (value: unknown): boolean => value === null || Array.isArray(value);

const isStream = (object: JsonObject): boolean => isList(object['deleted']) && isList(object['new']);

function readStream(object: JsonObject, place: Place): ListRow[] {
  const gone = Array.isArray(object['deleted']) ? object['deleted'].flatMap(() => skip(place, 'deleted')) : [];
  return [...gone, ...(Array.isArray(object['new']) ? place.walk(object['new']) : [])];
}

function readSuricata(object: JsonObject, place: Place): ListRow[] {
  const values = flatten(object);
  const type = text(object['event_type']);
  if (type !== 'alert') return skip(place, `event_type ${type}`);
  return record({ ...values, description: values['alert.signature'] ?? '' }, place);
}

function readElastic(object: JsonObject, place: Place): ListRow[] {
  return place.walk(object['_source']);
}

function readMispEvent(event: JsonObject, place: Place): ListRow[] {
  const objects = Array.isArray(event['Object']) ? (event['Object'] as unknown[]) : [];
  const attributes = [event, ...objects].flatMap((each) => (isObject(each) ? each['Attribute'] : []));
  return place.walk(attributes.flat());
}

function readBundle(bundle: JsonObject, place: Place): ListRow[] {
  return place.walk(bundle['objects']);
}

function isStix({ type, id }: JsonObject): boolean {
  return typeof type === 'string' && typeof id === 'string' && id.startsWith(`${type}--`);
}

/** Only an indicator says that an address is bad; an address alone was seen. */
function readStix(object: JsonObject, place: Place): ListRow[] {
  const pattern = text(object['pattern']);
  if (object['type'] !== 'indicator') return skip(place, `${text(object['type'])} is not an indicator`);
  if (object['revoked'] === true) return skip(place, 'revoked');
  const kinds = Array.isArray(object['indicator_types']) ? (object['indicator_types'] as unknown[]) : [];
  const benign = kinds.map(text).find(isExempt);
  if (benign !== undefined) return skip(place, benign);
  const until = text(object['valid_until']);
  const time = until === '' ? undefined : readTime(until, place.context.now);
  if (time !== undefined && 'over' in time) return skip(place, 'expired');
  const found = [...pattern.matchAll(/(?:ipv[46]-addr:value|_ref\.value) (?:=|ISSUBSET) '([^']*)'/g)];
  if (/!=|\bNOT\b/.test(pattern)) {
    return [{ where: place.nextWhere(), kind: 'bad', reason: 'a pattern that negates is not supported' }];
  }
  if (found.length === 0) {
    return /ipv[46]-addr/.test(pattern)
      ? [
          {
            where: place.nextWhere(),
            kind: 'bad',
            reason: "expected a pattern such as [ipv4-addr:value = '192.0.2.1']",
          },
        ]
      : skip(place, 'not an address');
  }
  const name = text(object['name']);
  return found.map(([, address = '']) => ({
    where: place.nextWhere(),
    kind: 'entry',
    source: cleanAddress(address),
    fields: { ...(time !== undefined && { duration: time.for }), ...(name !== '' && { description: name }) },
  }));
}

const isOfAddresses = (type: unknown): boolean => type === 'host' || type === 'network' || type === 'networkgroup';

function readOpnsense({ enabled, type, content, description }: JsonObject, place: Place): ListRow[] {
  if (text(enabled) === '0') return skip(place, 'enabled is 0');
  if (!isOfAddresses(type)) return skip(place, `alias of type ${text(type)}`);
  const reason = text(description);
  return text(content)
    .split(/[\n,]/)
    .filter((address) => address.trim() !== '')
    .flatMap((word) => {
      const address = word.trim().replace(/^!\s*/, '');
      const rows = record({ address, description: reason }, place);
      return address === word.trim() ? rows : rows.map((row) => skipRow(row, 'negated with "!"', true));
    });
}

function readPfsense({ type, address, detail }: JsonObject, place: Place): ListRow[] {
  if (!isOfAddresses(type)) return skip(place, `alias of type ${text(type)}`);
  const addresses = Array.isArray(address) ? (address as unknown[]) : [];
  const details = Array.isArray(detail) ? (detail as unknown[]) : [];
  return addresses.flatMap((each, at) => record({ address: text(each), description: text(details[at]) }, place));
}

function readNftJson({ nftables }: JsonObject, place: Place): ListRow[] {
  const sets = (nftables as unknown[]).flatMap((each) =>
    isObject(each) && isObject(each['set']) ? [each['set']] : [],
  );
  return sets.flatMap(({ name, elem }) => {
    const elements = Array.isArray(elem) ? (elem as unknown[]) : [];
    const set = text(name);
    const rows = elements.flatMap((each) => record(readNftElement(each), place));
    return isExemptGroup(set) ? rows.map((row) => skipRow(row, `set ${quoteBack(set)}`, isProtective(set))) : rows;
  });
}

/** `"addr"`, `{prefix: {addr, len}}`, `{range: [a, b]}`, or any of them with its time as `{elem: {val, timeout}}`. */
function readNftElement(value: unknown): ListRecord {
  if (!isObject(value)) return { address: text(value) };
  const { elem, prefix, range } = value;
  if (isObject(elem)) {
    const { val, expires, timeout, comment } = elem;
    const inner = isObject(val) && 'elem' in val ? {} : readNftElement(val); // an element is in no other
    return { ...inner, duration: text(expires) || text(timeout), description: text(comment) };
  }
  if (isObject(prefix)) return { address: `${text(prefix['addr'])}/${text(prefix['len'])}` };
  if (Array.isArray(range)) return { address: range.map(text).join('-') };
  return { address: '' };
}
