import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { selectFirewalls } from '../config/select.js';
import { parseAddress } from '../core/address.js';
import { blockStates, type BlockState } from '../core/block.js';
import { FirebreakError, quoteBack } from '../core/errors.js';
import type { BlockQuery } from '../ledger/ledger.js';
import { blockToJson, toTime } from '../views/json.js';
import { toCsv, toList } from '../views/block-table.js';
import { toDetails } from '../views/show.js';
import { getBlock } from './find-block.js';
import type { CommandContext, CommandResult } from './result.js';
import { withLedger } from './context.js';
import { widthOf } from '../runtime/terminal.js';

export interface ListOptions {
  state: string | undefined;
  source: string | undefined;
  firewalls: readonly string[];
  csv: boolean;
}

const standing: readonly BlockState[] = ['held', 'pending', 'active', 'releasing', 'failed'];

/** What stands; with a state (or `all`) also what stood. */
export async function list(
  { state, source, firewalls, csv }: ListOptions,
  context: CommandContext,
): Promise<CommandResult> {
  return withLedger(context, async ({ config, ledger }) => {
    const query: BlockQuery = {
      ...(state !== 'all' && { states: state === undefined ? standing : [parseState(state)] }),
      ...(source !== undefined && { source: canonical(source) }),
      ...(firewalls.length > 0 && { firewalls: selectFirewalls(config, firewalls).map(([name]) => name) }),
    };
    const blocks = await ledger.findBlocks(query);
    const text = csv ? toCsv(blocks) : toList(blocks, await ledger.now(), widthOf());
    return { exit: 0, text, json: { blocks: blocks.map(blockToJson) } };
  });
}

/** One block, its alarms, and where its last run is recorded. */
export async function show(id: string, context: CommandContext): Promise<CommandResult> {
  return withLedger(context, async ({ config, ledger }) => {
    const block = await getBlock(id, ledger);
    const alarms = await ledger.findAlarms(block.id);
    const folder = block.run === null ? undefined : join(config.state_dir, 'runs', block.run);
    const record = folder !== undefined && existsSync(folder) ? folder : undefined;
    return {
      exit: 0,
      text: toDetails(block, alarms, record, await ledger.now()),
      json: {
        ...blockToJson(block),
        proven_at: toTime(block.provenAt),
        due_at: toTime(block.dueAt),
        run: block.run,
        record: record ?? null,
        history: alarms.map((alarm) => ({
          alarm: alarm.id,
          received_at: toTime(alarm.receivedAt),
          origin: alarm.origin,
          context: alarm.context,
        })),
      },
    };
  });
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
