import { isOver, type Block } from '../core/block.js';
import type { RunSummary } from '../core/outcome.js';
import { startDrainer } from '../dispatch/worker.js';
import type { Freeze, Lease, Ledger } from '../ledger/ledger.js';
import { formatLocal } from '../core/local-time.js';
import { sendLater } from '../notify/deliver.js';
import type { CommandContext } from './result.js';
import type { OpenLedger } from './context.js';

export interface RequestParts extends OpenLedger {
  /** In whose name the leases were acquired. */
  owner: string;
}

/**
 * What was kept is carried: by us, by who is at it already, or (without waiting) by a process of its own.
 * @returns the blocks as they stand then; `changed` says whether this request changed the firewall
 */
export async function seeTo(
  asked: readonly Block[],
  leases: readonly Lease[],
  wait: boolean,
  parts: RequestParts,
  context: CommandContext,
): Promise<Block[]> {
  const carried = await carryOut(asked, leases, wait, parts, context);
  await sendLater(parts);
  const frozen = await parts.ledger.findFreeze();
  const settled = frozen === undefined ? carried : carried.map((block) => asFrozen(block, frozen));
  return settled.map((block, index) => ({ ...block, changed: block.changed && wasCarried(asked[index], block) }));
}

/** What is to be done for a block waits for `unfreeze`: told so, and kept as it is. */
const asFrozen = (block: Block, freeze: Freeze): Block =>
  block.dueAt === null || isOver(block) || block.tried >= block.revision
    ? block
    : { ...block, trouble: 'frozen', tried: block.revision, changed: false, reason: describeFreeze(freeze) };

export const describeFreeze = ({ at, by, reason }: Freeze): string =>
  `all changes are frozen since ${formatLocal(at)} by ${by}${reason === '' ? '' : ` (${reason})`}`;

async function carryOut(
  asked: readonly Block[],
  leases: readonly Lease[],
  wait: boolean,
  parts: RequestParts,
  context: CommandContext,
): Promise<Block[]> {
  if (leases.length === 0 && (await parts.ledger.findFreeze()) !== undefined) return [...asked];
  const isIdle = leases.length === 0 && asked.every(({ dueAt }) => dueAt === null);
  if (isIdle) return [...asked];
  if (!wait) {
    if (leases.length > 0) startDrainer(parts.owner, parts.configFile, process.argv[1] ?? '');
    return [...asked];
  }
  // What a run takes is loaded only where we carry one ourselves, or wait for it.
  const [{ settleAsked }, { withParts }] = await Promise.all([import('../dispatch/wait.js'), import('./parts.js')]);
  return withParts(parts, context, (all) => settleAsked(asked, leases, all));
}

/** The slowest of the runs that were needed for what was asked, or null where none was. */
export async function findRun(
  asked: readonly Block[],
  settled: readonly Block[],
  ledger: Ledger,
): Promise<RunSummary | null> {
  const ids = new Set(settled.flatMap((block, index) => (wasCarried(asked[index], block) ? (block.run ?? []) : [])));
  const runs = await Promise.all([...ids].map((id) => ledger.findRun(id)));
  const known = runs.flatMap((run) =>
    run?.ms === null || run === undefined ? [] : { id: run.id, ms: run.ms, batch: run.batch },
  );
  return known.sort((one, other) => other.ms - one.ms)[0] ?? null;
}

const wasCarried = (asked: Block | undefined, now: Block): boolean =>
  asked !== undefined && asked.tried < asked.revision && now.tried >= asked.revision;
