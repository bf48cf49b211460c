import { ulid } from 'ulid';
import type { Config } from '../config/schema.js';
import { selectFirewalls } from '../config/select.js';
import { parseAddress } from '../core/address.js';
import { isOver, type Block } from '../core/block.js';
import { FirebreakError } from '../core/errors.js';
import { exitCodeOfAll, type RunSummary } from '../core/outcome.js';
import { acquireAll } from '../dispatch/wait.js';
import type { BlockQuery, Ledger } from '../ledger/ledger.js';
import { answerToJson } from '../views/json.js';
import { answerToText } from '../views/answer.js';
import { foretellAll } from './dry-run.js';
import { getBlock } from './find-block.js';
import { findRun, seeTo } from './requests.js';
import type { CommandContext, CommandResult } from './result.js';
import { withLedger } from './context.js';

export interface UnblockOptions {
  source: string | undefined;
  destination: string | undefined;
  port: string | undefined;
  id: string | undefined;
  firewalls: readonly string[];
  check: boolean;
  wait: boolean;
}

/** Releases every block that matches, and proves that it is gone. */
export async function unblock(options: UnblockOptions, context: CommandContext): Promise<CommandResult> {
  return withLedger(context, async ({ config, configFile, ledger }) => {
    const query = await toQuery(options, config, ledger);
    const standing = (await ledger.findBlocks(query)).filter((block) => !isOver(block));
    if (standing.length === 0) return nothingStands(query, ledger);
    if (options.check) {
      const { blocks, run } = await foretellAll(
        standing.map((block) => ({ ...block, wanted: 'absent' })),
        config,
      );
      return toResult(blocks, run, true);
    }
    const asked = await ledger.release(query, 'released by an operator');
    const owner = ulid();
    const firewalls = [...new Set(asked.filter(({ dueAt }) => dueAt !== null).map(({ firewall }) => firewall))];
    const leases = await acquireAll(firewalls, owner, ledger);
    const blocks = await seeTo(asked, leases, options.wait, { config, configFile, ledger, owner }, context);
    return toResult(blocks, await findRun(asked, blocks, ledger), false, options.wait);
  });
}

async function toQuery(options: UnblockOptions, config: Config, ledger: Ledger): Promise<BlockQuery> {
  const { id, source, destination, port } = options;
  if (id !== undefined) {
    if (source !== undefined) throw new FirebreakError('usage', 'give SOURCE or --id, not both');
    return { ids: [(await getBlock(id, ledger)).id] };
  }
  if (source === undefined) {
    throw new FirebreakError('usage', 'say what to release: firebreak unblock SOURCE [DESTINATION [PORT]], or --id ID');
  }
  return {
    source: canonical('source', source),
    ...(destination !== undefined && { destination: canonical('destination', destination) }),
    ...(port !== undefined && { port: port === '0' ? '' : port }),
    ...(options.firewalls.length > 0 && {
      firewalls: selectFirewalls(config, options.firewalls).map(([name]) => name),
    }),
  };
}

function canonical(name: string, text: string): string {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new FirebreakError('alarm_invalid', `${name}: ${parsed.message}`);
  return parsed.address.text;
}

/** Releasing twice is no fault; a name that never stood is more likely a slip of the hand. */
async function nothingStands(query: BlockQuery, ledger: Ledger): Promise<CommandResult> {
  const before = (await ledger.findBlocks(query)).filter(({ state }) => state === 'released');
  const last = before.at(-1);
  if (last === undefined) {
    throw new FirebreakError('block_unknown', 'no block matches: firebreak list shows what stands');
  }
  return toResult([{ ...last, changed: false }], null, false);
}

function toResult(blocks: Block[], run: RunSummary | null, check: boolean, isAwaited = false): CommandResult {
  const answer = { check, isAwaited, blocks, run };
  return { exit: exitCodeOfAll(blocks, isAwaited), text: answerToText(answer), json: answerToJson(answer) };
}
