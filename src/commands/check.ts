import { findPolicy, withSeen } from '../config/policy.js';
import { overlaps, parseAddress, type Address } from '../core/address.js';
import type { Block } from '../core/block.js';
import { FirebreakError } from '../core/errors.js';
import { findProtection } from '../core/policy.js';
import { blockToJson } from '../report/json.js';
import { toList } from '../report/list.js';
import type { CommandContext, CommandResult } from './result.js';
import { withLedger } from './session.js';
import { widthOf } from '../runtime/terminal.js';

/**
 * Would this address be blocked, as source or destination, and is it?
 * Exit 3 where the policy says no, as `block` would; 0 otherwise.
 */
export async function check(text: string, context: CommandContext): Promise<CommandResult> {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new FirebreakError('usage', parsed.message);
  const { address } = parsed;
  return withLedger(context, async ({ config, ledger }) => {
    const known = withSeen(config, await ledger.findAddresses());
    const refusal =
      findProtection(address, findPolicy(known).protections) ?? explainWidth(address, config.policy.widest);
    const standing = await ledger.findBlocks({ states: ['held', 'pending', 'active', 'releasing', 'failed'] });
    const blocks = standing.filter((block) => concerns(block, address));
    const verdict = refusal ?? `${address.text} may be blocked: no rule of the policy says no`;
    const stands = blocks.length === 0 ? 'no block stands for it' : toList(blocks, ledger.now(), widthOf());
    return {
      exit: refusal === undefined ? 0 : 3,
      text: `${verdict}\n${stands}`,
      json: {
        address: address.text,
        allowed: refusal === undefined,
        reason: refusal ?? null,
        blocks: blocks.map(blockToJson),
      },
    };
  });
}

function explainWidth({ text, family, prefix }: Address, widest: Record<Address['family'], number>) {
  if (prefix >= widest[family]) return undefined;
  return `refused: ${text} is wider than policy.widest allows (/${widest[family]} for ${family})`;
}

const concerns = ({ flow }: Block, address: Address): boolean =>
  [flow.source, flow.destination].some((end) => {
    const parsed = parseAddress(end);
    return parsed.ok && overlaps(parsed.address, address);
  });
