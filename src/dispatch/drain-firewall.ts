import { setTimeout as sleep } from 'node:timers/promises';
import { ulid } from 'ulid';
import { killStragglers } from '../platforms/ansible/processes.js';
import { cleanRun, pruneRuns } from '../platforms/ansible/workspace.js';
import type { Config } from '../config/schema.js';
import { findPolicy } from '../config/policy-in-force.js';
import { isObserving } from '../config/select.js';
import type { Block } from '../core/block.js';
import { isOnFirewall, type BlockResult } from '../core/lifecycle.js';
import type { RunSummary } from '../core/outcome.js';
import { findRefusal, type Seen } from '../core/policy.js';
import { LeaseLost, renewEveryMs, type ClaimedBlock, type Lease, type Ledger } from '../ledger/ledger.js';
import type { App } from '../runtime/app.js';
import { refreshNames } from './allowed-names.js';
import { applyBatch, type BatchRequest, type BatchResult } from './batch.js';

/** What the dispatcher needs of the application's context. */
export type DispatchContext = Pick<App, 'config' | 'ledger' | 'stop' | 'screen'>;

export interface DispatchOptions {
  /** Called after each completed run. */
  onSettled: (settled: SettledRun) => void;
  /** Rewrites rules that were changed by hand. */
  fix?: boolean;
  /** Applies a batch; tests replace it. */
  apply?: typeof applyBatch;
}

export interface SettledRun {
  firewall: string;
  blocks: Block[];
  run: RunSummary;
  folder: string | undefined;
  /** How Ansible was run: warm, or cold with the reason. */
  way?: string | undefined;
  /** The step that failed, by its name in the role. */
  task: string | undefined;
}

/**
 * Applies everything that is due on the lease's firewall, run after run, and releases the lease when nothing is left.
 * Requests that arrive during a run are applied together by the next one.
 *
 *   claim --nothing due--> release --something arrived--> claim
 *   claim --blocks--> run --> settle --> debounce --> claim
 *   lease lost at any of these --> end, recording nothing: its new holder has taken over
 */
export async function drainFirewall(lease: Lease, app: DispatchContext, options: DispatchOptions): Promise<void> {
  const { ledger, config } = app;
  const lost = new AbortController();
  const stop = AbortSignal.any([app.stop, lost.signal]);
  const stopRenewal = renewWhileHeld(lease, ledger, lost);
  let claimed: ClaimedBlock[] = [];
  try {
    if (lease.orphan !== null) await stopOrphan(lease.orphan, config);
    for (let lastMs = 0; !stop.aborted;) {
      await debounce(lease.firewall, lastMs, app);
      const run = ulid();
      claimed = await ledger.claimBatch(lease, run, config.ansible.batch);
      if (claimed.length > 0) lastMs = await runBatch({ lease, run, claimed }, { ...app, stop }, options);
      else if (await ledger.releaseLease(lease)) return;
    }
    await ledger.releaseLease(lease, true);
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
    // Our run may have reached the firewall after that of the next holder, which rechecks.
    await ledger.recheck(claimed.map(({ id }) => id));
  } finally {
    stopRenewal();
  }
}

/** Renews the lease until the returned function is called; aborts `lost` if another process has taken it. */
function renewWhileHeld(lease: Lease, ledger: Ledger, lost: AbortController): () => void {
  const renewal = setInterval(() => {
    ledger.renewLease(lease).then(
      (isOurs) => isOurs || lost.abort('the loss of the lease'),
      () => undefined, // the ledger cannot be written now; settleBatch reports it
    );
  }, renewEveryMs);
  return () => clearInterval(renewal);
}

/** Ends the processes that a dead holder's run left behind, and cleans up after it. Its record remains. */
async function stopOrphan(run: string, { state_dir }: Config): Promise<void> {
  await killStragglers(run);
  cleanRun(run, state_dir);
}

interface Batch {
  lease: Lease;
  run: string;
  claimed: readonly ClaimedBlock[];
}

/** Applies one batch and records the results. @returns how long the run took, in milliseconds */
async function runBatch(batch: Batch, app: DispatchContext, options: DispatchOptions): Promise<number> {
  const { lease, run, claimed } = batch;
  const { ledger, config } = app;
  const { firewall } = lease;
  // Claiming may have waited long for its turn: the run needs a lease that is still valid.
  if (!(await ledger.renewLease(lease))) throw new LeaseLost(firewall);
  await refreshNames(ledger);
  const seen = await ledger.findSeen();
  const refusals = findRefusals(claimed, config, seen);
  const blocks = claimed.map((block) => (refusals.has(block.id) ? { ...block, desired: 'absent' as const } : block));
  const { apply = applyBatch, fix = false } = options;
  const isDryRun = isObserving(firewall, config, seen) ? (block: Block) => !isOnFirewall(block) : () => false;
  const result = await applyParts({ run, firewall, blocks, fix }, { apply, isDryRun, app });
  const settled = await ledger.settleBatch(lease, {
    id: run,
    ms: result.ms,
    claimed,
    resultOf: (block) => {
      const ended = resultOf(block, result, refusals.get(block.id));
      return isDryRun(block) ? asObserved(ended) : ended;
    },
    giveUpMs: config.dispatch.give_up,
    addresses: result.addresses,
    facts: { interfaces: result.interfaces, networks: result.networks },
  });
  await recheckOwnAddresses({ ...batch, addresses: result.addresses ?? [] }, seen, app);
  const { folder, task, way } = result;
  options.onSettled({
    firewall,
    blocks: settled,
    run: { id: run, ms: result.ms, batch: claimed.length },
    folder,
    task,
    way,
  });
  await prune(ledger, config);
  return result.ms;
}

/**
 * What a dry run in observe mode found. What fails on the firewall would fail again: it is recorded, and not retried. A dry
 * run that did not start or did not end says nothing about the block, so it is retried like any other run.
 */
function asObserved(ended: BlockResult): BlockResult {
  if (ended.kind === 'settled' && ended.changed) return { kind: 'observed' };
  const hasFailed = ended.kind === 'failed' && ended.failure === 'failed' && ended.code !== 'not_started';
  return hasFailed ? { kind: 'observed', reason: `would have failed: ${ended.reason}` } : ended;
}

interface Parts {
  apply: typeof applyBatch;
  /** Whether a block is only observed. */
  isDryRun: (block: Block) => boolean;
  app: DispatchContext;
}

/** Applies what changes the firewall; before that, what is only observed. */
async function applyParts(
  { blocks, ...request }: Pick<BatchRequest, 'run' | 'firewall' | 'blocks' | 'fix'>,
  { apply, isDryRun, app }: Parts,
): Promise<BatchResult> {
  const observed = blocks.filter(isDryRun);
  const rest = blocks.filter((block) => !isDryRun(block));
  const dry =
    observed.length === 0
      ? undefined
      : await apply({ ...request, blocks: observed, check: true, keepRecord: rest.length === 0 }, app);
  if (dry !== undefined && rest.length === 0) return dry;
  const done = await apply({ ...request, blocks: rest, check: false, keepRecord: true }, app);
  return dry === undefined
    ? done
    : { ...done, ms: dry.ms + done.ms, results: new Map([...dry.results, ...done.results]) };
}

/** A run may be the first to report an address of the firewall itself: the next run removes blocks of it. */
async function recheckOwnAddresses(
  { lease: { firewall }, claimed, addresses }: Batch & { addresses: readonly string[] },
  seen: Seen,
  { config, ledger }: DispatchContext,
): Promise<void> {
  const known = new Set(seen.addresses[firewall]);
  const fresh = addresses.filter((address) => !known.has(address));
  if (fresh.length === 0) return;
  const late = findRefusals(claimed, config, { addresses: { [firewall]: fresh }, callers: [] });
  if (late.size > 0) await ledger.recheck([...late.keys()]);
}

/** Deletes old records after the run is recorded and reported. A failure does not affect the run. */
async function prune(ledger: Ledger, { state_dir, ansible }: Config): Promise<void> {
  try {
    pruneRuns(state_dir, await ledger.findRunsToKeep(ansible.keep_runs));
  } catch {
    return; // the next run retries
  }
}

/**
 * The policy just before the run: it may have changed since the alarm was recorded, and so may this host's routes.
 * Refused blocks are applied as absent, which proves that no rule is left.
 */
function findRefusals(claimed: readonly ClaimedBlock[], config: Config, seen: Seen): Map<string, string> {
  const isKept = ({ override, provenAt }: Block): boolean =>
    override !== null || (config.policy.on_protected === 'warn' && provenAt !== null);
  const requested = claimed.filter((block) => block.desired === 'present' && !isKept(block));
  if (requested.length === 0) return new Map();
  const policy = findPolicy(config, { seen, firewall: requested[0]?.firewall });
  return new Map(
    requested.flatMap(({ id, flow }) => {
      const refusal = findRefusal(flow, policy);
      return refusal === undefined ? [] : [[id, refusal] as const];
    }),
  );
}

function resultOf({ id }: Block, { results }: BatchResult, refusal: string | undefined): BlockResult {
  const result = results.get(id);
  if (result === undefined) throw new Error(`the run has no result for block ${id}`);
  return refusal !== undefined && result.kind === 'settled' ? { kind: 'refused', reason: refusal } : result;
}

/** Alarms that follow each other faster than this belong to one storm. */
const quietMs = 250;

/**
 * In a storm, waits for a pause, so that the next run applies more blocks; never longer than the previous run took,
 * and not at all before the first.
 */
async function debounce(firewall: string, maxMs: number, { ledger, stop }: DispatchContext): Promise<void> {
  const deadline = performance.now() + maxMs;
  while (performance.now() < deadline && !stop.aborted) {
    const { youngestAt } = await ledger.findWork(firewall);
    const quietFor = youngestAt === null ? quietMs : (await ledger.now()) - youngestAt;
    if (quietFor >= quietMs || quietFor < 0) return;
    await sleep(quietMs - quietFor);
  }
}
