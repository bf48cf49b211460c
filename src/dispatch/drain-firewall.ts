import { setTimeout as sleep } from 'node:timers/promises';
import { ulid } from 'ulid';
import { sweep } from '../platforms/ansible/processes.js';
import type { Watch } from '../platforms/ansible/run.js';
import { pruneRuns, tidyRun } from '../platforms/ansible/workspace.js';
import type { Config } from '../config/schema.js';
import { findPolicy } from '../config/policy.js';
import type { Block } from '../core/block.js';
import type { Finding } from '../core/lifecycle.js';
import type { RunSummary } from '../core/outcome.js';
import { findRefusal, type Seen } from '../core/policy.js';
import { LeaseLost, renewEveryMs, type ClaimedBlock, type Lease, type Ledger } from '../ledger/ledger.js';
import { runBatch, type BatchResult } from './batch.js';

/** What the dispatcher works with. */
export interface Parts {
  ledger: Ledger;
  config: Config;
  /** Aborted when this process is told to stop. */
  stop: AbortSignal;
  /** Told of each run that was settled. */
  onSettled: (settled: SettledRun) => void;
  /** Shows a run while it goes on. */
  watch?: Watch;
  /** Shows that somebody else's run is waited for, until the function it gives is called. */
  wait?: (firewall: string, what: string) => () => void;
  /** Writes rules anew that were changed by hand. */
  fix?: boolean;
  run?: typeof runBatch;
}

export interface SettledRun {
  firewall: string;
  blocks: Block[];
  run: RunSummary;
  folder: string | undefined;
  /** The step that failed, by its name in the role. */
  task: string | undefined;
}

/**
 * Carries all that is due on the lease's firewall, run after run, and gives the lease back when nothing is.
 * What comes while a run is under way goes with the next one, all at once.
 *
 *   claim --nothing due--> release --something came--> claim
 *   claim --blocks--> run --> settle --> gather --> claim
 *   lease lost at any of these --> end, recording nothing: its new holder has taken over
 */
export async function carryAll(lease: Lease, parts: Parts): Promise<void> {
  const { ledger } = parts;
  const lost = new AbortController();
  const stop = AbortSignal.any([parts.stop, lost.signal]);
  const renewal = setInterval(() => {
    ledger.renewLease(lease).then(
      (isOurs) => isOurs || lost.abort('the loss of the lease'),
      () => undefined, // the ledger cannot be written now; settling will tell
    );
  }, renewEveryMs);
  let claimed: ClaimedBlock[] = [];
  try {
    if (lease.orphan !== null) await endOrphan(lease.orphan, parts.config);
    for (let lastMs = 0; !stop.aborted;) {
      await gather(lease.firewall, lastMs, parts);
      const run = ulid();
      claimed = await ledger.claimBatch(lease, run, parts.config.ansible.batch);
      if (claimed.length > 0) lastMs = await carryBatch(lease, run, claimed, stop, parts);
      else if (await ledger.releaseLease(lease)) return;
    }
    await ledger.releaseLease(lease, true);
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
    // Our run may have come to the firewall after its next holder's: that one looks again.
    await ledger.recheck(claimed.map(({ id }) => id));
  } finally {
    clearInterval(renewal);
  }
}

/** Ends what a dead holder's run left going, and tidies up after it. Its record stays. */
async function endOrphan(run: string, { state_dir }: Config): Promise<void> {
  await sweep(run);
  tidyRun(run, state_dir);
}

async function carryBatch(
  lease: Lease,
  run: string,
  claimed: readonly ClaimedBlock[],
  stop: AbortSignal,
  { ledger, config, onSettled, watch, fix = false, run: carry = runBatch }: Parts,
): Promise<number> {
  const { firewall } = lease;
  // Claiming may have waited its turn for long: what follows needs the lease to hold.
  if (!(await ledger.renewLease(lease))) throw new LeaseLost(firewall);
  const refusals = findRefusals(claimed, config, await ledger.findSeen());
  const blocks = claimed.map((block) => (refusals.has(block.id) ? { ...block, wanted: 'absent' as const } : block));
  const result = await carry({ run, firewall, blocks, config, check: false, keepRecord: true, fix, stop, watch });
  const settled = await ledger.settleBatch(lease, {
    id: run,
    ms: result.ms,
    claimed,
    findingOf: (block) => findingOf(block, result, refusals.get(block.id)),
    giveUpMs: config.dispatch.give_up,
    addresses: result.addresses,
  });
  // The run may be the first to see the firewall's own addresses: what it blocked of them goes with the next one.
  const addresses = { [firewall]: result.addresses ?? [] };
  const late = [...findRefusals(claimed, config, { addresses, callers: [] }).keys()].filter((id) => !refusals.has(id));
  if (late.length > 0) await ledger.recheck(late);
  onSettled({
    firewall,
    blocks: settled,
    run: { id: run, ms: result.ms, batch: claimed.length },
    folder: result.folder,
    task: result.task,
  });
  await prune(ledger, config);
  return result.ms;
}

/** Old records go when the run is settled and told; that they cannot is no matter of the run. */
async function prune(ledger: Ledger, { state_dir, ansible }: Config): Promise<void> {
  try {
    pruneRuns(state_dir, await ledger.findRunsToKeep(ansible.keep_runs));
  } catch {
    return; // the next run tries again
  }
}

/**
 * What the policy says just before the run: it may have changed since the alarm was kept, and so may this host's ways.
 * What it refuses is carried as absent, so that it is proven that it is not there.
 */
function findRefusals(claimed: readonly ClaimedBlock[], config: Config, seen: Seen): Map<string, string> {
  const wanted = claimed.filter((block) => block.wanted === 'present' && block.override === null);
  if (wanted.length === 0) return new Map();
  const policy = findPolicy(config, { seen, firewall: wanted[0]?.firewall });
  return new Map(
    wanted.flatMap(({ id, flow }) => {
      const refusal = findRefusal(flow, policy);
      return refusal === undefined ? [] : [[id, refusal] as const];
    }),
  );
}

function findingOf({ id }: Block, { findings }: BatchResult, refusal: string | undefined): Finding {
  const finding = findings.get(id);
  if (finding === undefined) throw new Error(`the run says nothing of block ${id}`);
  return refusal !== undefined && finding.kind === 'settled' ? { kind: 'refused', reason: refusal } : finding;
}

/** Alarms that follow each other faster than this belong to one storm. */
const quietMs = 250;

/**
 * In a storm, waits until it is quiet, so that the next run carries more; never longer than the run before took,
 * and not at all before the first.
 */
async function gather(firewall: string, mostMs: number, { ledger, stop }: Parts): Promise<void> {
  const deadline = performance.now() + mostMs;
  while (performance.now() < deadline && !stop.aborted) {
    const { youngestAt } = await ledger.findWork(firewall);
    const quietFor = youngestAt === null ? quietMs : (await ledger.now()) - youngestAt;
    if (quietFor >= quietMs || quietFor < 0) return;
    await sleep(quietMs - quietFor);
  }
}
