import * as z from 'zod';
import { parseAddress } from '../core/address.js';
import { parseDuration } from '../core/duration.js';
import { FirebreakError } from '../core/errors.js';
import type { Widest } from '../core/flow.js';
import { yieldToOthers } from '../ledger/yield-to-others.js';
import { readList, type ParsedList } from './list-file.js';

/** What CrowdSec's local API answers to `GET /v1/decisions/stream`: what is not needed is left out. */
const decision = z.object({
  value: z.string(),
  scope: z.string(),
  type: z.string(),
  duration: z.string().optional(),
  scenario: z.string().default(''),
  simulated: z.boolean().optional(),
});
const decisions = z.array(z.unknown()).nullish();
const stream = z.object({ new: decisions, deleted: decisions });

type Decision = z.infer<typeof decision>;

export interface DecisionStream {
  /** What is to be blocked: bans of addresses and ranges, by the rules for lists, the longest of each source. */
  list: ParsedList;
  /** Sources whose decisions are deleted or over, in canonical spelling. */
  deleted: string[];
}

interface StreamOptions {
  widest: Widest;
  /** Parts of names of scenarios; empty: all. */
  scenarios: readonly string[];
  now?: number;
}

/** So many decisions are read at a time; between them others have their turn. */
const readAtOnce = 500;

/** @throws FirebreakError list_invalid: not such an answer */
export async function parseDecisionStream(
  text: string,
  { scenarios, ...options }: StreamOptions,
): Promise<DecisionStream> {
  const { data: answer } = stream.safeParse(parseJson(text));
  if (answer === undefined) throw invalid();
  await yieldToOthers();
  const isChosen = ({ scope, scenario }: Decision): boolean =>
    /^(?:ip|range)$/i.test(scope) && (scenarios.length === 0 || scenarios.some((part) => scenario.includes(part)));
  const read = async (all: readonly unknown[], changed: Partial<Decision> = {}): Promise<ParsedList> => {
    const list: ParsedList = { entries: [], skipped: [], bad: [] };
    for (let start = 0; start < all.length; start += readAtOnce) {
      const { data: part } = z.array(decision).safeParse(all.slice(start, start + readAtOnce));
      if (part === undefined) throw invalid();
      const chosen = part.filter(isChosen).map((each) => ({ ...each, ...changed }));
      const body = JSON.stringify({ new: chosen, deleted: null });
      const { entries, skipped, bad } = readList(body, { ...options, format: 'crowdsec' });
      list.entries.push(...entries);
      list.skipped.push(...skipped);
      list.bad.push(...bad);
      await yieldToOthers();
    }
    return list;
  };
  const list = await read(answer.new ?? []);
  // The time of a deleted decision is over, and is not to be read.
  const gone = await read(answer.deleted ?? [], { duration: undefined });
  const entries = longestEach(list.entries);
  await yieldToOthers();
  return { list: { ...list, entries }, deleted: [...new Set(gone.entries.map(sourceOf))] };
}

/** Of several decisions on one source, the one that lasts longest counts. */
function longestEach(entries: readonly Entry[]): Entry[] {
  const longest = new Map<string, Entry>();
  for (const entry of entries) {
    const source = sourceOf(entry);
    const known = longest.get(source);
    if (known === undefined || lastsLonger(entry, known)) longest.set(source, entry);
  }
  return [...longest.values()];
}

/** How long the decision lasts, in milliseconds; undefined: the sender did not say; null: forever. */
export const durationOf = ({ fields: { duration } }: Entry): number | null | undefined =>
  duration === undefined ? undefined : parseDuration(duration);

function lastsLonger(one: Entry, other: Entry): boolean {
  const [ms, otherMs] = [durationOf(one), durationOf(other)];
  return otherMs !== null && (ms === null || (ms ?? 0) > (otherMs ?? 0));
}

const invalid = (): FirebreakError =>
  new FirebreakError('list_invalid', 'the answer is not one of GET /v1/decisions/stream');

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw invalid();
  }
}

type Entry = ParsedList['entries'][number];

/** The source of an entry in canonical spelling. */
export function sourceOf({ fields: { source = '' } }: Entry): string {
  const parsed = parseAddress(source);
  return parsed.ok ? parsed.address.text : source;
}
