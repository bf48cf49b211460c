import { ulid } from 'ulid';
import type { Block } from '../core/block.js';
import { exitCodeOfAll } from '../core/outcome.js';
import { carryAll } from '../dispatch/drain-firewall.js';
import type { Lease, Ledger } from '../ledger/ledger.js';
import { blockToJson } from '../views/json.js';
import { tell } from '../views/answer.js';
import { refreshAddresses } from '../notify/addresses.js';
import { keepKnown, takeSpooled } from './fallback.js';
import { sendDue } from '../notify/deliver.js';
import { withParts } from './parts.js';
import { describeFreeze } from './requests.js';
import type { CommandContext, CommandResult } from './result.js';
import { withLedger, type OpenLedger } from './context.js';

export interface DrainOptions {
  /** Release what is past its time first. */
  expire: boolean;
  /** Another launcher's name, who acquired the leases for us. */
  owner?: string | undefined;
}

/** Carries out all that is pending or due for its next try, on every firewall at once; then sends what is to be told. */
export async function drain({ expire, owner }: DrainOptions, context: CommandContext): Promise<CommandResult> {
  return withLedger(context, async (open) => {
    const result = await carryDue({ expire, owner }, open, context);
    await sendDue({ ...open, warn: context.tell }, owner);
    return result;
  });
}

async function carryDue(
  { expire, owner }: DrainOptions,
  open: OpenLedger,
  context: CommandContext,
): Promise<CommandResult> {
  const { config, ledger } = open;
  await takeSpooled(config, ledger, context.tell);
  if (expire) await ledger.expire({ heldMs: config.policy.limits.hold_for, keepAlarmsMs: config.keep_alarms });
  const frozen = await ledger.findFreeze();
  if (frozen !== undefined) {
    const text = `nothing is carried: ${describeFreeze(frozen)}; firebreak unfreeze goes on`;
    return { exit: 7, text, json: { blocks: [], frozen } };
  }
  const leases = await takeLeases(open, owner, context.tell);
  const settled = new Map<string, Block>();
  await withParts(open, context, async (parts) => {
    const onSettled: typeof parts.onSettled = (run) => {
      for (const block of run.blocks) settled.set(block.id, block);
      parts.onSettled(run);
    };
    await Promise.all(leases.map((lease) => carryAll(lease, { ...parts, onSettled })));
    if (expire) await refreshAddresses({ ...parts, warn: context.tell });
  });
  await keepKnown(config, ledger);
  const blocks = [...settled.values()];
  const lines = blocks.map((block) => `${block.firewall}: ${tell(block, null)}`);
  return {
    exit: exitCodeOfAll(blocks),
    text: lines.length > 0 ? lines.join('\n') : 'nothing was due',
    json: { blocks: blocks.map(blockToJson) },
  };
}

async function takeLeases(open: OpenLedger, owner: string | undefined, say: (text: string) => void): Promise<Lease[]> {
  const leases: Lease[] = [];
  for (const firewall of Object.keys(open.config.firewalls)) {
    const lease = await takeLease(open.ledger, firewall, owner);
    if (lease !== undefined) leases.push(lease);
    else if (owner === undefined) say(`${firewall}: another process is at work there, and carries what is due`);
  }
  return leases;
}

const takeLease = (ledger: Ledger, firewall: string, owner: string | undefined): Promise<Lease | undefined> =>
  owner === undefined ? ledger.acquireLease(firewall, ulid()) : ledger.takeOverLease(firewall, owner);
