import { ulid } from 'ulid';
import { findPolicy } from '../config/policy-in-force.js';
import { newBlock, refuse, type Block } from '../core/block.js';
import type { BlockResult } from '../core/lifecycle.js';
import type { Answer, RunSummary } from '../core/outcome.js';
import { findRefusal } from '../core/policy.js';
import { toProofFields } from '../core/proof.js';
import { computeTracker } from '../core/tracker.js';
import { applyBatch } from '../dispatch/batch.js';
import type { Alarm } from '../intake/alarm.js';
import type { BlockRequest } from '../ledger/ledger.js';
import type { Host } from '../runtime/app.js';
import { admit, findMismatches, type Target } from './admit.js';
import { readKnown } from './fallback.js';

/** Runs without the ledger: dry runs, and blocks that cannot be recorded. */

/** A dry run leaves the ledger alone: what the ledger knows of the firewalls comes from its copy. */
export async function dryRunBlock(alarm: Alarm, target: Target, host: Host): Promise<Answer> {
  const { config, warn } = host;
  const blocks = admit(alarm, { ...target, seen: readKnown(config).seen }, config);
  for (const mismatch of findMismatches(blocks, config)) warn(mismatch);
  const answer = await dryRun(blocks.map(unsavedBlock), host);
  return { ...answer, alarm: ulid(), check: true, requiredProof: config.policy.require_proof };
}

/** Predicts what a run would change for each block, without changing anything. */
export const dryRun = (blocks: readonly Block[], host: Host) => runAll(blocks, host, true);

/** Applies the blocks in their own run, without the ledger. */
export const applyUnsaved = (blocks: readonly BlockRequest[], host: Host) =>
  runAll(blocks.map(unsavedBlock), host, false);

async function runAll(blocks: readonly Block[], host: Host, check: boolean): Promise<Pick<Answer, 'blocks' | 'run'>> {
  host.catchSignals();
  const firewalls = [...new Set(blocks.map(({ firewall }) => firewall))];
  const results = await Promise.all(
    firewalls.map((firewall) =>
      runOne(
        firewall,
        blocks.filter((block) => block.firewall === firewall),
        { ...host, check },
      ),
    ),
  );
  const runs = results.flatMap(({ run }) => run ?? []).sort((one, other) => other.ms - one.ms);
  return { blocks: results.flatMap((result) => result.blocks), run: runs[0] ?? null };
}

async function runOne(
  firewall: string,
  blocks: readonly Block[],
  host: Host & { check: boolean },
): Promise<{ blocks: Block[]; run: RunSummary | null }> {
  const admitted = blocks.filter(({ state }) => state !== 'refused');
  if (admitted.length === 0) return { blocks: [...blocks], run: null };
  const { check } = host;
  const run = ulid();
  const batch = await applyBatch({ run, firewall, blocks: admitted, check, keepRecord: false }, host);
  const addresses = { [firewall]: batch.addresses ?? [] };
  const policy = findPolicy(host.config, { seen: { addresses, callers: [] }, firewall });
  const settled = blocks.map((block) => {
    const result = batch.results.get(block.id);
    const refusal = check && block.desired === 'present' ? findRefusal(block.flow, policy) : undefined;
    if (refusal !== undefined && block.override === null) return refuse(block, refusal);
    return result === undefined ? block : withResult(block, result, { check, run });
  });
  return { blocks: settled, run: { id: run, ms: batch.ms, batch: admitted.length } };
}

function withResult(block: Block, result: BlockResult, { check, run }: { check: boolean; run: string }): Block {
  const attempted: Block = { ...block, doneRevision: block.revision, run };
  if (result.kind === 'refused') return refuse(attempted, result.reason);
  if (result.kind === 'failed') {
    const { failure, code, reason } = result;
    return { ...attempted, changed: false, failure, failureCode: code, reason };
  }
  if (result.kind === 'observed') return { ...attempted, state: 'observed' };
  const { changed } = result;
  const proof = toProofFields(result.proof);
  const done: Block = { ...attempted, changed, failure: null, failureCode: null, reason: null, ...proof };
  if (block.desired === 'absent') return { ...done, state: check && changed ? 'releasing' : 'released' };
  return {
    ...done,
    state: check && changed ? 'pending' : 'active',
    provenAt: check ? block.provenAt : block.createdAt,
  };
}

/** A block that is not in the ledger. */
export function unsavedBlock({ firewall, flow, description, override, ...request }: BlockRequest): Block {
  const refusal = request.refusal ?? request.grace;
  const now = Date.now();
  const fresh = newBlock({ id: ulid(now), firewall, flow, tracker: computeTracker(flow), description }, now);
  const block = { ...fresh, override: override ?? null, tags: request.tags ?? [] };
  return refusal === undefined ? block : refuse(block, refusal);
}
