import { ulid } from 'ulid';
import type { Block } from '../core/block.js';
import { FirebreakError } from '../core/errors.js';
import { exitCodeOfAll } from '../core/outcome.js';
import { acquireAll } from '../dispatch/wait.js';
import { blockToJson } from '../views/json.js';
import { tell } from '../views/answer.js';
import { getBlock } from './find-block.js';
import { findRun, seeTo } from './requests.js';
import type { CommandContext, CommandResult } from './result.js';
import { withLedger } from './context.js';

export type Move = 'approve' | 'reject' | 'retry';

const takes: Record<Move, string> = {
  approve: 'held',
  reject: 'held',
  retry: 'failed or waiting for its next try',
};

/** Moves held and failed blocks on, and carries what that makes due. */
export async function decide(
  move: Move,
  { id, all }: { id: string | undefined; all: boolean },
  context: CommandContext,
): Promise<CommandResult> {
  if ((id === undefined) === !all)
    throw new FirebreakError('usage', `give one ID or --all: firebreak ${move} ID|--all`);
  return withLedger(context, async ({ config, configFile, ledger }) => {
    const chosen = id === undefined ? undefined : await getBlock(id, ledger);
    const asked = await ledger.decide(move, chosen === undefined ? 'all' : [chosen.id]);
    if (asked.length === 0) return nothingMoved(move, chosen);
    const owner = ulid();
    const firewalls = [...new Set(asked.filter(({ dueAt }) => dueAt !== null).map(({ firewall }) => firewall))];
    const leases = await acquireAll(firewalls, owner, ledger);
    const blocks = await seeTo(asked, leases, true, { config, configFile, ledger, owner }, context);
    const run = await findRun(asked, blocks, ledger);
    return {
      exit: move === 'reject' ? 0 : exitCodeOfAll(blocks, true),
      text: blocks.map((block) => `${block.firewall}: ${tell(block, run)}`).join('\n'),
      json: { blocks: blocks.map(blockToJson), run },
    };
  });
}

function nothingMoved(move: Move, chosen: Block | undefined): CommandResult {
  if (chosen !== undefined) {
    throw new FirebreakError(
      'block_unknown',
      `block ${chosen.id} is ${chosen.state}, not ${takes[move]}: firebreak show tells how it came to that`,
    );
  }
  return { exit: 0, text: `nothing is ${takes[move]}`, json: { blocks: [], run: null } };
}
