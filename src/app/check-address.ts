import { findPolicy } from '../config/policy.js';
import type { Config } from '../config/schema.js';
import { overlaps, parseAddress, type Address } from '../core/address.js';
import type { Block } from '../core/block.js';
import { FirebreakError } from '../core/errors.js';
import { findProtection, type Seen } from '../core/policy.js';
import { describeChange } from '../core/address-change.js';
import { blockToJson } from '../views/json.js';
import { toList } from '../views/block-table.js';
import type { CommandContext, CommandResult } from './result.js';
import { withLedger } from './context.js';
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
    const seen = await ledger.findSeen();
    const spared = findSpared(address, config, seen);
    const refusal =
      findProtection(address, findPolicy(config, { seen })) ??
      explainWidth(address, config.policy.widest) ??
      (spared.length === Object.keys(config.firewalls).length ? spared[0]?.refusal : undefined);
    const changes = await ledger.findAddressChanges();
    const remarks = [
      ...(refusal === undefined ? spared.map((each) => `on ${each.firewall}: ${each.refusal}`) : []),
      ...changes.map((change) => describeChange(change)),
    ];
    const standing = await ledger.findBlocks({ states: ['held', 'pending', 'active', 'releasing', 'failed'] });
    const blocks = standing.filter((block) => concerns(block, address));
    const verdict = refusal ?? `${address.text} may be blocked: no rule of the policy says no`;
    const lines = [verdict, ...remarks];
    const stands = blocks.length === 0 ? 'no block stands for it' : toList(blocks, await ledger.now(), widthOf());
    return {
      exit: refusal === undefined ? 0 : 3,
      text: [...lines, stands].join('\n'),
      json: {
        address: address.text,
        allowed: refusal === undefined,
        reason: refusal ?? null,
        remarks,
        blocks: blocks.map(blockToJson),
      },
    };
  });
}

/** On which firewalls it would be refused, by what was seen on them. */
const findSpared = (address: Address, config: Config, seen: Seen): { firewall: string; refusal: string }[] =>
  Object.keys(config.firewalls).flatMap((firewall) => {
    const refusal = findProtection(address, findPolicy(config, { seen, firewall, host: [] }));
    return refusal === undefined ? [] : [{ firewall, refusal }];
  });

function explainWidth({ text, family, prefix }: Address, widest: Record<Address['family'], number>) {
  if (prefix >= widest[family]) return undefined;
  return `refused: ${text} is wider than policy.widest allows (/${widest[family]} for ${family})`;
}

const concerns = ({ flow }: Block, address: Address): boolean =>
  [flow.source, flow.destination].some((end) => {
    const parsed = parseAddress(end);
    return parsed.ok && overlaps(parsed.address, address);
  });
