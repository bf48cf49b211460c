import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { selectFirewalls } from '../config/select.js';
import { parseAddress } from '../core/address.js';
import { blockStates, currentStates, type Block, type BlockState } from '../core/block.js';
import { FirebreakError, quoteBack } from '../core/errors.js';
import type { AlarmRecord, BlockQuery } from '../ledger/ledger.js';
import type { App } from '../runtime/app.js';
import { findBlock } from './find-block.js';

export interface ListOptions {
  /** Undefined lists current blocks; `all` also lists past ones. */
  state: string | undefined;
  source: string | undefined;
  firewalls: readonly string[];
}

/** Prepares the query, whose pages can be read more than once. @throws FirebreakError usage, firewall_unknown */
export function listBlocks({ state, source, firewalls }: ListOptions, { config, ledger }: App) {
  const query: BlockQuery = {
    ...(state !== 'all' && { states: state === undefined ? currentStates : [parseState(state)] }),
    ...(source !== undefined && { source: canonical(source) }),
    ...(firewalls.length > 0 && { firewalls: selectFirewalls(config, firewalls).map(([name]) => name) }),
  };
  return (): AsyncIterable<Block[]> => ledger.readBlocks(query);
}

/** One block, its alarms, and the folder that records its last run. */
export interface BlockDetails {
  block: Block;
  alarms: AlarmRecord[];
  record: string | undefined;
  now: number;
}

/** @throws FirebreakError block_unknown */
export async function readDetails(id: string, { config, ledger }: App): Promise<BlockDetails> {
  const block = await findBlock(id, ledger);
  const folder = block.run === null ? undefined : join(config.state_dir, 'runs', block.run);
  return {
    block,
    alarms: await ledger.findAlarms(block.id),
    record: folder !== undefined && existsSync(folder) ? folder : undefined,
    now: await ledger.now(),
  };
}

function parseState(text: string): BlockState {
  const state = blockStates.find((each) => each === text);
  if (state === undefined) {
    throw new FirebreakError('usage', `--state: expected ${blockStates.join(', ')} or all, got ${quoteBack(text)}`);
  }
  return state;
}

function canonical(text: string): string {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new FirebreakError('usage', `--source: ${parsed.message}`);
  return parsed.address.text;
}
