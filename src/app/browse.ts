import { selectFirewalls } from '../config/select.js';
import { parseAddress } from '../core/address.js';
import { blockStates, type Block } from '../core/block.js';
import { FirebreakError, quoteBack } from '../core/errors.js';
import { bypassLevels } from '../core/proof.js';
import type { BlockQuery, ListedBlock } from '../ledger/ledger.js';
import type { App } from '../runtime/app.js';
import { matchSource } from './match-source.js';

/** What a person asks of the list of blocks, each empty if nothing is asked. */
export interface Filter {
  /** An address, a network or any text. */
  search: string;
  /** A state, `failing`, `bypassed` or `all`. */
  state: string;
  firewall: string;
  /** `end`: the first to end; else the newest first. */
  sort: string;
}

export const browsePageSize = 100;

/** The most blocks that one decision applies to. */
export const maxBulk = 10_000;

/** @throws FirebreakError usage, firewall_unknown */
export async function toBlockQuery({ search, state, firewall }: Filter, app: App): Promise<BlockQuery> {
  const query: BlockQuery = {
    ...toStates(state),
    ...(firewall !== '' && { firewalls: selectFirewalls(app.config, [firewall]).map(([name]) => name) }),
  };
  if (search === '') return query;
  const parsed = parseAddress(search);
  if (!parsed.ok) return { ...query, search };
  const { inside, wider } = await matchSource(parsed.address, query, app.ledger);
  const towards = await app.ledger.findBlocks({ ...query, destination: parsed.address.text });
  return { ...query, ids: [...inside, ...wider, ...towards].map(({ id }) => id) };
}

function toStates(state: string): BlockQuery {
  if (state === 'all') return {};
  if (state === '') return { isCurrent: true };
  if (state === 'failing') return { isCurrent: true, states: ['pending', 'releasing', 'failed'], isFailing: true };
  if (state === 'bypassed') return { states: ['active'], proofs: bypassLevels };
  const known = blockStates.find((each) => each === state);
  if (known !== undefined) return { states: [known] };
  throw new FirebreakError('usage', `state: expected ${blockStates.join(', ')} or all, got ${quoteBack(state)}`);
}

/** One page of the list. */
export interface ListPage {
  blocks: ListedBlock[];
  /** The id from which the next page continues; undefined on the last. */
  next: string | undefined;
  /** How many match, on all pages. */
  many: number;
}

/** @throws FirebreakError usage, firewall_unknown */
export async function browse(filter: Filter, from: string | undefined, app: App): Promise<ListPage> {
  const query = await toBlockQuery(filter, app);
  const found = await app.ledger.findBlockPage(query, {
    order: filter.sort === 'end' ? 'end' : 'newest',
    limit: browsePageSize + 1,
    from,
  });
  const blocks = found.slice(0, browsePageSize);
  const isWhole = from === undefined && found.length <= browsePageSize;
  const many = isWhole ? found.length : await app.ledger.countBlocks(query);
  return { blocks, next: found.length > browsePageSize ? blocks.at(-1)?.block.id : undefined, many };
}

/** All blocks that match and were recorded until then, `maxBulk` at most: those that a person was shown the number of. */
export async function findAllMatching(filter: Filter, createdUntil: number, app: App): Promise<Block[]> {
  const query = { ...(await toBlockQuery(filter, app)), createdUntil };
  const found = await app.ledger.findBlockPage(query, { order: 'newest', limit: maxBulk });
  return found.map(({ block }) => block);
}
