import { setTimeout as sleep } from 'node:timers/promises';
import { ulid } from 'ulid';
import type { Config } from '../config/schema.js';
import { selectFirewalls } from '../config/select.js';
import type { Block } from '../core/block.js';
import { FirebreakError } from '../core/errors.js';
import type { Answer } from '../core/outcome.js';
import { parseAlarm } from '../intake/alarm.js';
import { toAlarmRequest, type AlarmValues } from '../intake/fields.js';
import type { ListEntry, ListNote, ParsedList } from '../intake/list-file.js';
import type { NewAlarm } from '../ledger/ledger.js';
import type { App } from '../runtime/app.js';
import { admit, makePolicies } from './admit.js';
import type { Recorded } from './record.js';
import { submit } from './submit.js';

export interface ImportOptions {
  /** Values for entries that omit them. */
  defaults: AlarmValues;
  firewalls: readonly string[];
  wait: boolean;
  /** Goes on without the rows that cannot be read. */
  skipBad: boolean;
}

/** What became of the rows of a list. Each counts once, by the worst of its blocks. */
export interface ImportSummary {
  read: number;
  new: number;
  known: number;
  refused: number;
  held: number;
  skipped: number;
  /** How many entries took a field from the options, by the field's name. */
  filled: Record<string, number>;
}

export interface ImportAnswer extends Answer {
  entries: number;
  summary: ImportSummary;
}

/** So that an alarm waits for one transaction, not for the whole list. */
const perTransaction = 250;

/** More rows than these are counted, not listed. */
const maxListed = 20;

/**
 * Blocks a list of addresses, in as few runs as possible.
 * @throws FirebreakError list_invalid: one bad row without `skipBad`, or no good one; nothing is recorded then
 */
export async function importList(list: ParsedList, options: ImportOptions, app: App): Promise<ImportAnswer> {
  const { alarms, bad, skipped, filled } = await toAlarms(list, options, app);
  if (bad.length > 0 && (alarms.length === 0 || !options.skipBad)) {
    throw new FirebreakError('list_invalid', [...describeRows(bad), 'nothing was recorded'].join('\n'));
  }
  for (const line of describeRows(bad)) app.warn(`skipped ${line}`);
  for (const line of countReasons(skipped)) app.warn(`skipped ${line}`);
  const counts = { new: 0, known: 0, refused: 0, held: 0 };
  const answer = await submit(
    app,
    (owner) => recordAll(alarms, { owner, isHandedOver: !options.wait }, { app, counts }),
    options,
  );
  const left = bad.length + skipped.length;
  return {
    ...answer,
    entries: alarms.length,
    summary: { read: alarms.length + left, ...counts, skipped: left, filled },
  };
}

type Counts = Pick<ImportSummary, 'new' | 'known' | 'refused' | 'held'>;

async function recordAll(
  alarms: readonly NewAlarm[],
  claim: { owner: string; isHandedOver: boolean },
  { app: { ledger, config }, counts }: { app: App; counts: Counts },
): Promise<Recorded> {
  const recorded = { blocks: [] as Block[], leases: [] as Recorded['leases'], isFirstHeld: false };
  for (let start = 0; start < alarms.length; start += perTransaction) {
    const isLast = start + perTransaction >= alarms.length;
    const part = await ledger.recordAlarms(alarms.slice(start, start + perTransaction), {
      recheckMs: config.dispatch.recheck,
      limits: toLimits(config),
      keepsProtected: config.policy.on_protected === 'warn',
      ...(isLast && claim),
    });
    for (const blocks of part.blocks) counts[outcomeOf(blocks)] += 1;
    recorded.blocks.push(...part.blocks.flat());
    recorded.leases = part.leases;
    recorded.isFirstHeld ||= part.isFirstHeld;
    if (!isLast) await sleep(1); // lets others write to the ledger, such as an alarm
  }
  return recorded;
}

/** What was recorded for one entry: the worst of its firewalls. A block that is known has alarmed before. */
function outcomeOf(blocks: readonly Block[]): keyof Counts {
  if (blocks.some(({ state }) => state === 'refused')) return 'refused';
  if (blocks.some(({ state }) => state === 'held')) return 'held';
  return blocks.some(({ alarms }) => alarms === 1) ? 'new' : 'known';
}

/** A person has reviewed the list, so only the limit of a firewall's capacity applies. */
const toLimits = ({ policy: { limits } }: Config) =>
  limits.hold ? { perMinute: Infinity, active: limits.active } : undefined;

interface CheckedList {
  alarms: NewAlarm[];
  bad: ListNote[];
  skipped: ListNote[];
  filled: Record<string, number>;
}

async function toAlarms(list: ParsedList, options: ImportOptions, app: App): Promise<CheckedList> {
  const { config, ledger } = app;
  const checked: CheckedList = { alarms: [], bad: [...list.bad], skipped: [...list.skipped], filled: {} };
  const seen = await ledger.findSeen();
  const policyOf = makePolicies(config, seen);
  const origin = `${app.actor}, from a list`;
  const chosen = selectFirewalls(config, options.firewalls).map(([name]) => name);
  for (const entry of list.entries) {
    const { where, firewall } = entry;
    const firewalls = firewall === undefined ? options.firewalls : [firewall];
    if (firewall !== undefined && options.firewalls.length > 0 && !chosen.includes(firewall)) {
      checked.skipped.push({ where, reason: `firewall ${firewall}` });
      continue;
    }
    try {
      const defaults = findGaps(entry, options.defaults);
      const alarm = parseAlarm(toAlarmRequest({ ...entry.fields, ...defaults }), config);
      const blocks = admit(alarm, { firewalls, seen, policyOf, isByHand: true }, config);
      checked.alarms.push({ id: ulid(), origin, context: {}, blocks });
      for (const name of Object.keys(defaults)) checked.filled[name] = (checked.filled[name] ?? 0) + 1;
    } catch (error) {
      if (!(error instanceof FirebreakError)) throw error;
      checked.bad.push({ where, reason: error.message.replaceAll('\n', '; ') });
    }
  }
  checked.bad.sort((one, other) => placeOf(one) - placeOf(other));
  return checked;
}

/** The options that an entry needs: it says the rest itself. A protocol without ports takes none. */
function findGaps({ fields }: ListEntry, defaults: AlarmValues): AlarmValues {
  const hasPorts = fields['protocol'] !== 'icmp' && fields['protocol'] !== 'any';
  return Object.fromEntries(
    Object.entries(defaults).filter(([name]) => fields[name] === undefined && (name !== 'port' || hasPorts)),
  );
}

/** The number in `line 3`. */
const placeOf = ({ where }: ListNote): number => Number(/\d+/.exec(where)?.[0] ?? 0);

/** One line a row, the first of them; then how many more. */
function describeRows(rows: readonly ListNote[]): string[] {
  const more = rows.length - maxListed;
  return [
    ...rows.slice(0, maxListed).map(({ where, reason }) => `${where}: ${reason}`),
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
}

/** `3 rows: expired (line 2 is the first)` */
function countReasons(rows: readonly ListNote[]): string[] {
  const counts = new Map<string, { count: number; first: string }>();
  for (const { where, reason } of rows) {
    const { count, first } = counts.get(reason) ?? { count: 0, first: where };
    counts.set(reason, { count: count + 1, first });
  }
  const lines = [...counts].map(([reason, { count, first }]) =>
    count === 1 ? `${first}: ${reason}` : `${count} rows, the first is ${first}: ${reason}`,
  );
  const more = lines.length - maxListed;
  return more > 0 ? [...lines.slice(0, maxListed), `and for ${more} more reasons`] : lines;
}
