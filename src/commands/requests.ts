import type { Block } from '../core/block.js';
import type { RunSummary } from '../core/outcome.js';
import { startDrainer } from '../dispatch/drainer.js';
import type { Lease, Ledger } from '../ledger/ledger.js';
import type { CommandContext } from './result.js';
import type { OpenLedger } from './session.js';

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
  const settled = await carryOut(asked, leases, wait, parts, context);
  return settled.map((block, index) => ({ ...block, changed: block.changed && wasCarried(asked[index], block) }));
}

async function carryOut(
  asked: readonly Block[],
  leases: readonly Lease[],
  wait: boolean,
  parts: RequestParts,
  context: CommandContext,
): Promise<Block[]> {
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
