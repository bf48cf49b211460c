import { findPolicy } from '../config/policy-in-force.js';
import type { Config } from '../config/schema.js';
import { overlaps, parseAddress, type Address } from '../core/address.js';
import { findGrace } from '../core/allowance.js';
import { describeChange } from '../core/address-change.js';
import { currentStates, type Block } from '../core/block.js';
import { FirebreakError } from '../core/errors.js';
import { findProtection, type Seen } from '../core/policy.js';
import type { App } from '../runtime/app.js';

export interface AddressCheck {
  address: string;
  /** Why the policy refuses to block it; undefined if it may be blocked. */
  refusal: string | undefined;
  remarks: string[];
  /** Current blocks with this address as source or destination. */
  blocks: Block[];
  now: number;
}

/** Checks whether this address may be blocked, as either end, and whether it is. @throws FirebreakError usage */
export async function checkAddress(text: string, { config, ledger }: App): Promise<AddressCheck> {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new FirebreakError('usage', parsed.message);
  const { address } = parsed;
  const seen = await ledger.findSeen();
  const spared = findSpared(address, config, seen);
  const refusal =
    findProtection(address, findPolicy(config, { seen })) ??
    explainWidth(address, config.policy.widest) ??
    (spared.length === Object.keys(config.firewalls).length ? spared[0]?.refusal : undefined);
  const graces = Object.keys(config.firewalls).flatMap((firewall) => {
    const grace = findGrace({ source: address.text }, firewall, seen.allowances);
    return grace === undefined ? [] : [`on ${firewall}: ${grace}`];
  });
  const remarks = [
    ...graces,
    ...(refusal === undefined ? spared.map((each) => `on ${each.firewall}: ${each.refusal}`) : []),
    ...(await ledger.findAddressChanges()).map(describeChange),
  ];
  const blocks: Block[] = [];
  for await (const page of ledger.readBlocks({ states: currentStates }))
    blocks.push(...page.filter((block) => concerns(block, address)));
  return { address: address.text, refusal, remarks, blocks, now: await ledger.now() };
}

/** The firewalls on which learned addresses would refuse it. */
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
