import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { selectFirewalls } from '../config/select.js';
import { parseAddress } from '../core/address.js';
import { blockStates, currentStates, isOver, type Block, type BlockState } from '../core/block.js';
import { FirebreakError, quoteBack } from '../core/errors.js';
import { isTag } from '../core/tags.js';
import type { AlarmRecord, BlockQuery } from '../ledger/ledger.js';
import type { App } from '../runtime/app.js';
import { findBlock } from './find-block.js';
import { matchSource, parseSource } from './match-source.js';
import { parsePick } from './pick-blocks.js';

export interface ListOptions {
  /** Undefined lists current blocks; `all` also lists past ones. */
  state?: string | undefined;
  source?: string | undefined;
  firewalls: readonly string[];
  /** Only blocks that have all of these. */
  tags?: readonly string[];
  /** Only blocks that changed within this time; null: any. */
  sinceMs?: number | null;
  search?: string | undefined;
  sort?: string | undefined;
  limit?: string | undefined;
  /** Only blocks recorded after the one with this id. */
  after?: string | undefined;
}

/**
 * Prepares the query, whose pages can be read more than once. With a source also the blocks of addresses inside it, and of
 * the networks that cover it.
 * @throws FirebreakError usage, firewall_unknown
 */
export async function listBlocks(
  { state, source, firewalls, tags = [], sinceMs = null, after, ...picked }: ListOptions,
  { config, ledger }: App,
): Promise<() => AsyncIterable<Block[]>> {
  const pick = parsePick(picked);
  const query: BlockQuery = {
    ...(sinceMs !== null && { updatedSince: (await ledger.now()) - sinceMs }),
    after,
    tags: tags.map(parseTag),
    ...(state !== 'all' && { states: state === undefined ? currentStates : [parseState(state)] }),
    ...(firewalls.length > 0 && { firewalls: selectFirewalls(config, firewalls).map(([name]) => name) }),
  };
  if (source === undefined) return () => pick(ledger.readBlocks(query));
  const { inside, wider } = await matchSource(parseSource(source), query, ledger);
  return () => pick(onePage([...wider, ...inside]));
}

// eslint-disable-next-line @typescript-eslint/require-await -- what is read as pages may be known already
async function* onePage(blocks: Block[]): AsyncGenerator<Block[]> {
  yield blocks;
}

/** One block, its alarms, and the folder that records its last run. */
export interface BlockDetails {
  block: Block;
  alarms: AlarmRecord[];
  record: string | undefined;
  now: number;
}

/**
 * The block with this id; or the current blocks of this address, of those inside it and of the networks that cover it,
 * else the last one that it had.
 * @throws FirebreakError block_unknown
 */
export async function readDetails(text: string, app: App): Promise<BlockDetails[]> {
  const parsed = parseAddress(text);
  if (!parsed.ok) return [await readBlock(await findBlock(text, app.ledger), app)];
  const { inside, wider } = await matchSource(parsed.address, {}, app.ledger);
  const all = [...wider, ...inside];
  const current = all.filter((block) => !isOver(block));
  const shown = current.length > 0 ? current : all.slice(-1);
  if (shown.length === 0) {
    throw new FirebreakError(
      'block_unknown',
      `${parsed.address.text} has no block; run firebreak list to see current blocks`,
    );
  }
  return Promise.all(shown.slice(0, maxShown).map((block) => readBlock(block, app)));
}

/** More than these are for `list`. */
const maxShown = 20;

async function readBlock(block: Block, { config, ledger }: App): Promise<BlockDetails> {
  const folder = block.run === null ? undefined : join(config.state_dir, 'runs', block.run);
  return {
    block,
    alarms: await ledger.findAlarms(block.id),
    record: folder !== undefined && existsSync(folder) ? folder : undefined,
    now: await ledger.now(),
  };
}

function parseTag(text: string): string {
  if (isTag(text)) return text;
  throw new FirebreakError(
    'usage',
    `--tag: expected 1 to 32 lower-case letters, digits or "-", got ${quoteBack(text)}`,
  );
}

function parseState(text: string): BlockState {
  const state = blockStates.find((each) => each === text);
  if (state === undefined) {
    throw new FirebreakError('usage', `--state: expected ${blockStates.join(', ')} or all, got ${quoteBack(text)}`);
  }
  return state;
}
