import type { Block } from '../core/block.js';
import { FirebreakError, quoteBack } from '../core/errors.js';

/** What `list` picks from the blocks that a query finds. */
export interface PickOptions {
  search?: string | undefined;
  sort?: string | undefined;
  limit?: string | undefined;
}

type Order = (one: Block, other: Block) => number;

const byText =
  (textOf: (block: Block) => string): Order =>
  (one, other) =>
    textOf(one).localeCompare(textOf(other), 'en', { numeric: true });

/** Orders that people ask for: what is most urgent or most recent comes first. */
export const sortKeys: Readonly<Record<string, Order>> = {
  newest: (one, other) => other.createdAt - one.createdAt,
  end: (one, other) => (one.expiresAt ?? Infinity) - (other.expiresAt ?? Infinity) || 0,
  alarms: (one, other) => other.alarms - one.alarms,
  source: byText(({ flow }) => flow.source),
  destination: byText(({ flow }) => flow.destination),
  firewall: byText(({ firewall }) => firewall),
  state: byText(({ state }) => state),
};

type Pages = AsyncIterable<Block[]>;

/** Prepares to pick from any number of pages: only a sorted list is held in memory. @throws FirebreakError usage */
export function parsePick({ search, sort, limit }: PickOptions): (pages: Pages) => Pages {
  const order = sort === undefined ? undefined : parseSort(sort);
  const most = limit === undefined ? Infinity : parseLimit(limit);
  const isWanted = search === undefined ? () => true : contains(search.toLowerCase());
  return async function* (pages) {
    const kept: Block[] = [];
    for await (const page of pages) {
      const wanted = page.filter(isWanted);
      if (order === undefined && most === Infinity) yield wanted;
      else kept.push(...wanted);
      if (order === undefined) kept.splice(0, kept.length - most);
    }
    if (kept.length > 0) yield order === undefined ? kept : kept.sort(order).slice(0, most);
  };
}

function parseSort(text: string): Order {
  if (Object.hasOwn(sortKeys, text)) return sortKeys[text] as Order; // as hasOwn says
  throw new FirebreakError('usage', `--sort: expected ${Object.keys(sortKeys).join(', ')}, got ${quoteBack(text)}`);
}

function parseLimit(text: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  throw new FirebreakError('usage', `--limit: expected a number from 1, got ${quoteBack(text)}`);
}

const contains = (text: string) => (block: Block) =>
  [block.flow.source, block.flow.destination, block.description, block.reason, block.comment, block.id].some(
    (each) => each?.toLowerCase().includes(text) === true,
  );
