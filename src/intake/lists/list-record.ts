import { protocols, types } from '../../core/flow.js';
import { quoteBack } from '../../core/errors.js';
import { alarmFields, type AlarmValues } from '../fields.js';
import { cleanAddress, isAddressLike, splitPort } from './list-address.js';
import { isExempt } from './list-exempt.js';
import type { ListContext, ListRow } from './list-row.js';
import { readTime } from './list-time.js';

/** A row with names: of CSV, or of JSON with the names of nested objects before it (`source.ip`). */
export type ListRecord = Readonly<Record<string, string>>;

/** `Source IP`, `src-ip` and `SRC_IP` are one name each for every program's spelling. */
export const columnName = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_');

const columns = new Map(alarmFields.map((field) => [field.name, field.columns ?? []]));

const columnsOf = (field: string): readonly string[] => columns.get(field) ?? [];

const sourceColumns = columnsOf('source');

/** Columns that say outright that they hold the attacker; the others hold just some address. */
const isAttacker = (column: string): boolean => !generalColumns.has(column);
const generalColumns = new Set(['ip', 'ip_address', 'ipaddress', 'address', 'value', 'indicator', 'cidr', 'network']);

/** Is there a column that may hold the address to block? */
export const hasSource = (names: readonly string[], { column }: ListContext): boolean =>
  column === undefined ? names.some((name) => sourceColumns.includes(name)) : names.includes(columnName(column));

/** What a record asks for. */
export function readRecord(where: string, record: ListRecord, context: ListContext): ListRow {
  const reason = findSkip(record);
  if (reason !== undefined) return { where, kind: 'skip', reason };
  const victim = splitPort(pick(record, 'destination') ?? '');
  const found = findSource(record, victim.host, context);
  if ('problem' in found) return { where, kind: 'bad', reason: found.problem };
  const time = findTime(record, context);
  if (time === 'over') return { where, kind: 'skip', reason: 'expired' };
  if (time !== undefined && 'problem' in time) return { where, kind: 'bad', reason: time.problem };
  const type = record['rule_type'] ?? types.find((each) => each === record['type']);
  const protocol = toProtocol(pick(record, 'protocol'));
  return {
    where,
    kind: 'entry',
    source: withMask(found.source, record),
    fields: withoutGaps({
      destination: victim.host,
      port: findPort(record, victim, protocol),
      interface: pick(record, 'interface'),
      type,
      ipproto: pick(record, 'ipproto'),
      protocol,
      description: pick(record, 'description'),
      duration: time?.for,
    }),
  };
}

const withoutGaps = (values: AlarmValues): AlarmValues =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== ''));

const isSaid = (value: string | undefined): value is string => value !== undefined && value !== '';

const valueOf = (record: ListRecord, column: string): string | undefined =>
  Object.hasOwn(record, column) ? record[column] : undefined;

const pick = (record: ListRecord, field: string): string | undefined =>
  columnsOf(field)
    .map((column) => valueOf(record, column))
    .find(isSaid);

/** A program writes 0 where a protocol has no ports. A control server's port is its own. */
function findPort(
  record: ListRecord,
  victim: { host: string; port: string | undefined },
  protocol: string | undefined,
): string | undefined {
  if (victim.host === '' && isSaid(valueOf(record, 'malware'))) return undefined;
  const port = pick(record, 'port') ?? victim.port;
  return port === '0' && (protocol === 'icmp' || protocol === 'any') ? undefined : port;
}

const masks = ['netmask', 'mask', 'prefixlen', 'prefix_length', 'prefix', 'cidr'];

/** A network whose mask or length has a column of its own. */
function withMask(source: string, record: ListRecord): string {
  const mask = masks
    .map((name) => valueOf(record, name))
    .find((value) => /^\/?\d{1,3}$|^255\.[\d.]+$/.test(value ?? ''));
  return mask === undefined || source.includes('/') ? source : cleanAddress(`${source}/${mask.replace('/', '')}`);
}

const numbered: Readonly<Record<string, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmp' };

function toProtocol(text: string | undefined): string | undefined {
  const word = text?.toLowerCase();
  if (word === undefined || protocols.some((each) => each === word)) return word;
  return /^(?:ipv6-?)?icmp(?:v?6)?$/.test(word) ? 'icmp' : (numbered[word] ?? text);
}

/**
 * The address to block, by the order of trust: a column that names the attacker before one that holds just some
 * address. An `ip` that is the row's destination is the victim. Two columns that differ otherwise are the caller's choice.
 */
function findSource(
  record: ListRecord,
  victim: string,
  { column }: ListContext,
): { source: string } | { problem: string } {
  if (column !== undefined) {
    const value = valueOf(record, columnName(column));
    return isSaid(value) ? { source: cleanAddress(value) } : { problem: `column ${column} is empty` };
  }
  const said = sourceColumns.flatMap((name) => {
    const value = valueOf(record, name);
    return isSaid(value) ? [{ name, source: cleanAddress(value) }] : [];
  });
  // A word such as "crowdsec" in "source" names the list; in any other column of attackers it is a mistake.
  const odd = said.find(({ name, source }) => isAttacker(name) && name !== 'source' && !isAddressLike(source));
  if (odd !== undefined) return { source: odd.source };
  const addresses = said.filter(({ source }) => isAddressLike(source));
  const candidates = addresses.filter(
    ({ name, source }) => isAttacker(name) || source !== victim || addresses.length === 1,
  );
  const [first = said[0], ...others] = candidates;
  if (first === undefined) return { problem: 'the address to block is missing' };
  const other = others.find(({ source }) => source !== first.source);
  if (other === undefined) return { source: first.source };
  return {
    problem: `${first.name} is ${quoteBack(first.source)} and ${other.name} is ${quoteBack(other.source)}: choose one with --column`,
  };
}

type FoundTime = { for: string } | { problem: string } | 'over' | undefined;

function findTime(record: ListRecord, { now }: ListContext): FoundTime {
  const column = columnsOf('duration').find((name) => isSaid(valueOf(record, name)));
  const text = column === undefined ? undefined : valueOf(record, column);
  if (column === undefined || text === undefined) return undefined;
  const time = readTime(text, now);
  if (time === undefined) {
    return { problem: `${column}: expected a duration such as 4h, or a date, got ${quoteBack(text)}` };
  }
  return 'over' in time ? 'over' : time;
}

const off = /^(?:0|false|no|off|n|disabled|inactive)$/i;
const on = /^(?:1|true|yes|on|y|x)$/i;
/** Columns that switch a row off when they say no, or yes. */
const needed = ['enabled', 'active', 'is_active', 'to_ids'];
const forbidden = [
  ...['disabled', 'deleted', 'revoked', 'simulated', 'whitelisted', 'is_whitelisted', 'iswhitelisted', 'allowlisted'],
  ...['false_positive', 'ignored', 'unbanned'],
];
/** Columns that say in a word what is to be done. */
const verdicts = [
  ...['type', 'action', 'decision', 'remediation', 'status', 'state', 'list', 'group', 'verdict', 'classification'],
];

/** Why the list says not to block the row, if it does. */
function findSkip(record: ListRecord): string | undefined {
  const disabled =
    needed.find((name) => off.test(valueOf(record, name) ?? '')) ??
    forbidden.find((name) => on.test(valueOf(record, name) ?? ''));
  if (disabled !== undefined) return `${disabled} is ${record[disabled]}`;
  const verdict = verdicts.find((name) => isExempt(valueOf(record, name) ?? ''));
  if (verdict !== undefined) return `${verdict} ${quoteBack(record[verdict])}`;
  return findOtherKind(record);
}

/** Indicators of other kinds, such as a domain; decisions on other scopes, such as a country. */
function findOtherKind(record: ListRecord): string | undefined {
  const isTyped = isSaid(valueOf(record, 'value')) || isSaid(valueOf(record, 'indicator'));
  const kind = valueOf(record, 'indicator_type') ?? (isTyped ? valueOf(record, 'type') : undefined);
  if (isSaid(kind) && !/ip|cidr|net|range|host$|addr|ban|block|reject/i.test(kind))
    return `${quoteBack(kind)} is not an address`;
  const scope = valueOf(record, 'scope') ?? /^(country|as|username|session):/i.exec(valueOf(record, 'ip') ?? '')?.[1];
  return isSaid(scope) && /^(?:country|as|username|session)$/i.test(scope) ? `scope ${scope}` : undefined;
}
