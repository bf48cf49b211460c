import type { Block } from '../../core/block.js';
import { claim, settle } from '../../core/lifecycle.js';
import type { ClaimedBlock, EndedRun, Lease } from '../ledger.js';
import { getBlock, toBlock, updateBlock } from './block-rows.js';
import type { Transaction } from './database.js';
import { isFrozen } from './frozen.js';
import { recordOutcome } from './history.js';
import { checkFence } from './leases.js';
import { recordAddresses, recordFacts } from './seen.js';

/** Claims due blocks for a run. @throws LeaseLost */
export async function claimBatch(
  tx: Transaction,
  lease: Lease,
  { run, limit }: { run: string; limit: number },
): Promise<ClaimedBlock[]> {
  await checkFence(tx, lease, run);
  if (await isFrozen(tx)) return [];
  const now = await tx.now();
  const rows = await tx.all(
    'SELECT * FROM block WHERE firewall = ? AND due_at <= ? ORDER BY due_at, seq LIMIT ?',
    ...[lease.firewall, now, limit],
  );
  const claimed = rows.map((row) => claim(toBlock(row), run));
  for (const block of claimed) await updateBlock(tx, block);
  if (claimed.length > 0) {
    await tx.run(
      'INSERT INTO run (id, firewall, fence, started_at, ms, batch) VALUES (?, ?, ?, ?, NULL, ?)',
      ...[run, lease.firewall, lease.fence, now, claimed.length],
    );
  }
  return claimed;
}

/** Records the results of a run. @throws LeaseLost: the results may be outdated, and the next run checks again */
export async function settleBatch(tx: Transaction, lease: Lease, ended: EndedRun): Promise<Block[]> {
  await checkFence(tx, lease, null);
  await tx.run('UPDATE run SET ms = ? WHERE id = ?', ended.ms, ended.id);
  if (ended.addresses !== undefined) await recordAddresses(tx, lease.firewall, ended.addresses);
  if (ended.facts !== undefined) await recordFacts(tx, lease.firewall, ended.facts);
  const blocks: Block[] = [];
  for (const claimed of ended.claimed) {
    const before = await getBlock(tx, claimed.id);
    const settled = settle(before, ended.resultOf(claimed), {
      now: await tx.now(),
      claimedRevision: claimed.revision,
      desired: claimed.desired,
      giveUpMs: ended.giveUpMs,
    });
    await updateBlock(tx, settled);
    await recordOutcome(tx, before, settled);
    blocks.push(settled);
  }
  return blocks;
}
