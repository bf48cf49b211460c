import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/schema.js';
import { selectFirewalls } from '../config/select.js';
import type { Block } from '../core/block.js';
import { FirebreakError } from '../core/errors.js';
import type { Answer } from '../core/outcome.js';
import { parseAlarm } from '../intake/alarm.js';
import { toAlarmRequest, type AlarmValues } from '../intake/fields.js';
import type { ListEntry, ListNote, ParsedList } from '../intake/list-file.js';
import { newId } from '../ledger/new-id.js';
import type { NewAlarm } from '../ledger/ledger.js';
import { yieldToOthers } from '../ledger/yield-to-others.js';
import { notifyHeld } from '../notify/held.js';
import type { App } from '../runtime/app.js';
import { count } from '../views/count.js';
import { admit, makePolicies } from './admit.js';
import type { Recorded } from './record.js';
import { submit } from './submit.js';

export interface ImportOptions {
  /** Values for entries that omit them. */
  defaults: AlarmValues;
  firewalls: readonly string[];
  wait: boolean;
  /** Whether the answer lists the blocks; otherwise it may repeat one for all of its kind, so that they can be counted. */
  listsBlocks: boolean;
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

/** An alarm that waits for the ledger retries within 75 ms at first: it gets its turn in each of these pauses. */
const pauseMs = 80;

/** More rows than these are counted, not listed. */
const maxListed = 20;

/**
 * Blocks a list of addresses, in as few runs as possible. A long list is not held in memory as alarms and blocks: every
 * entry is checked before the first is recorded, and made again when its turn comes.
 * @throws FirebreakError list_invalid: one bad row without `skipBad`, or no good one; nothing is recorded then
 */
export async function importList(list: ParsedList, options: ImportOptions, app: App): Promise<ImportAnswer> {
  const toAlarm = await makeAlarms(options, app);
  const chosen =
    options.firewalls.length === 0 ? [] : selectFirewalls(app.config, options.firewalls).map(([name]) => name);
  const { entries, bad, skipped, filled } = await checkEntries(list, { chosen, defaults: options.defaults }, toAlarm);
  if (bad.length > 0 && (entries.length === 0 || !options.skipBad)) {
    throw new FirebreakError('list_invalid', [...describeRows(bad), 'nothing was recorded'].join('\n'));
  }
  for (const line of describeRows(bad)) app.warn(`skipped ${line}`);
  for (const line of countReasons(skipped)) app.warn(`skipped ${line}`);
  const counts = { new: 0, known: 0, refused: 0, held: 0 };
  const tally = new Tally(options.wait || options.listsBlocks);
  const answer = await submit(
    app,
    (owner) => recordAll({ entries, toAlarm }, { owner, isHandedOver: !options.wait }, { app, counts, tally }),
    options,
  );
  const left = bad.length + skipped.length;
  return {
    ...answer,
    blocks: tally.expand(answer.blocks),
    entries: entries.length,
    summary: { read: entries.length + left, ...counts, skipped: left, filled },
  };
}

/** What became of the entries of a feed. */
export type FeedCounts = Counts & { bad: number };

/**
 * Records the entries of a feed, like those of a list: in small transactions, and limited by the capacity alone, because
 * a person has chosen the feed. What is due is applied by others.
 */
export async function recordFeed(
  list: ParsedList,
  options: Pick<ImportOptions, 'defaults' | 'firewalls'>,
  app: App,
): Promise<FeedCounts> {
  const toAlarm = await makeAlarms(options, app);
  const { entries, bad } = await checkEntries(list, { chosen: [], defaults: options.defaults }, toAlarm);
  const counts = { new: 0, known: 0, refused: 0, held: 0 };
  const claim = { owner: undefined, isHandedOver: false };
  const recorded = await recordAll({ entries, toAlarm }, claim, { app, counts, tally: new Tally(false) });
  if (recorded.isFirstHeld === true) await notifyHeld(app);
  return { ...counts, bad: bad.length };
}

type Counts = Pick<ImportSummary, 'new' | 'known' | 'refused' | 'held'>;

/** Blocks, or one of each kind with their number if no run is waited for and no block is listed. */
class Tally {
  readonly blocks: Block[] = [];
  private readonly amounts: number[] = [];
  private readonly kinds = new Map<string, number>();

  constructor(private readonly holdsAll: boolean) {}

  add(block: Block): void {
    const { id, state, failure, proof, proofMessage, doneRevision, revision, dueAt } = block;
    const kind = [state, failure, proof, proofMessage, doneRevision < revision, dueAt === null].join();
    const place = this.holdsAll ? undefined : this.kinds.get(kind);
    if (place === undefined) {
      this.kinds.set(this.holdsAll ? id : kind, this.blocks.length);
      this.blocks.push(block);
      this.amounts.push(1);
    } else {
      this.amounts[place] = (this.amounts[place] ?? 0) + 1;
    }
  }

  /** @param blocks those of this tally, as they are now */
  expand = (blocks: readonly Block[]): Block[] =>
    blocks.flatMap((block, place) => Array<Block>(this.amounts[place] ?? 1).fill(block));
}

interface Source {
  entries: readonly ListEntry[];
  toAlarm: ToAlarm;
}

async function recordAll(
  { entries, toAlarm }: Source,
  claim: { owner: string | undefined; isHandedOver: boolean },
  { app: { ledger, config }, counts, tally }: { app: App; counts: Counts; tally: Tally },
): Promise<Recorded> {
  const recorded = { blocks: tally.blocks, leases: [] as Recorded['leases'], isFirstHeld: false };
  for (let start = 0; start < entries.length; start += perTransaction) {
    const isLast = start + perTransaction >= entries.length;
    const alarms = entries.slice(start, start + perTransaction).map((entry) => toAlarm(entry));
    const part = await ledger.recordAlarms(alarms, {
      recheckMs: config.dispatch.recheck,
      limits: toLimits(config),
      keepsProtected: config.policy.on_protected === 'warn',
      ...(isLast && claim),
    });
    for (const blocks of part.blocks) {
      counts[outcomeOf(blocks)] += 1;
      for (const block of blocks) tally.add(block);
    }
    recorded.leases = part.leases;
    recorded.isFirstHeld ||= part.isFirstHeld;
    if (!isLast) await sleep(pauseMs);
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
  entries: ListEntry[];
  bad: ListNote[];
  skipped: ListNote[];
  filled: Record<string, number>;
}

/** What the alarms of a list have as their origin. */
export const listOrigin = (actor: string): string => `${actor}, from a list`;

/** @throws FirebreakError why the entry cannot be blocked */
type ToAlarm = (entry: ListEntry) => NewAlarm;

async function makeAlarms(
  options: Pick<ImportOptions, 'defaults' | 'firewalls'>,
  { config, ledger, actor }: App,
): Promise<ToAlarm> {
  const seen = await ledger.findSeen();
  const policyOf = makePolicies(config, seen);
  const origin = listOrigin(actor);
  return (entry) => {
    const firewalls = entry.firewall === undefined ? options.firewalls : [entry.firewall];
    const fields = { ...entry.fields, ...findGaps(entry, options.defaults) };
    const alarm = parseAlarm(toAlarmRequest(fields), config);
    const blocks = admit(alarm, { firewalls, seen, policyOf, isByHand: true }, config);
    return { id: newId(), origin, context: {}, blocks };
  };
}

async function checkEntries(
  list: ParsedList,
  { chosen, defaults }: { chosen: readonly string[]; defaults: AlarmValues },
  toAlarm: ToAlarm,
): Promise<CheckedList> {
  const checked: CheckedList = { entries: [], bad: [...list.bad], skipped: [...list.skipped], filled: {} };
  for (const entry of list.entries) {
    await yieldToOthers();
    const { where, firewall } = entry;
    if (firewall !== undefined && !chosen.includes(firewall) && chosen.length > 0) {
      checked.skipped.push({ where, reason: `firewall ${firewall}` });
      continue;
    }
    try {
      toAlarm(entry);
      checked.entries.push(entry);
      for (const name of Object.keys(findGaps(entry, defaults))) checked.filled[name] = (checked.filled[name] ?? 0) + 1;
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
  const counts = new Map<string, { amount: number; first: string }>();
  for (const { where, reason } of rows) {
    const { amount, first } = counts.get(reason) ?? { amount: 0, first: where };
    counts.set(reason, { amount: amount + 1, first });
  }
  const lines = [...counts].map(([reason, { amount, first }]) =>
    amount === 1 ? `${first}: ${reason}` : `${amount} rows, the first is ${first}: ${reason}`,
  );
  const more = lines.length - maxListed;
  return more > 0 ? [...lines.slice(0, maxListed), `and for ${count(more, 'more reason')}`] : lines;
}
