import { isOver, type Block } from '../../core/block.js';
import { approve, extend, recheck, isExpired, release, retry, updateProof } from '../../core/lifecycle.js';
import type { Proof } from '../../core/proof.js';
import type { Amendment, BlockQuery } from '../ledger.js';
import { findBlocks, getBlock, toBlock, updateBlock } from './block-rows.js';
import { findRow, hasRow, type Transaction } from './database.js';
import { recordOutcome } from './history.js';

/** Transitions decided by a person or by time. */

export async function releaseBlocks(tx: Transaction, query: BlockQuery, reason: string): Promise<Block[]> {
  const now = await tx.now();
  const open = (await findBlocks(tx, query)).filter((block) => !isOver(block));
  return moveAll(tx, open, (block) => release(block, now, reason));
}

export async function decideBlocks(
  tx: Transaction,
  { move, by, reason }: { move: 'approve' | 'reject' | 'retry'; by: string; reason: string },
  ids: readonly string[] | 'all',
): Promise<Block[]> {
  const now = await tx.now();
  const states = move === 'retry' ? (['failed', 'pending', 'releasing'] as const) : (['held'] as const);
  const moves: Record<typeof move, (block: Block) => Block> = {
    approve: (block) => approve(block, now),
    reject: (block) => release(block, now, `rejected by ${by}${reason === '' ? '' : `: ${reason}`}`),
    retry: (block) => retry(block, now),
  };
  return moveAll(tx, await findBlocks(tx, { ...(ids !== 'all' && { ids }), states }), moves[move]);
}

export async function amendBlock(tx: Transaction, id: string, change: Amendment): Promise<Block> {
  const block = await getBlock(tx, id);
  const amended = 'comment' in change ? { ...block, ...change } : extend(block, change.expiresAt, await tx.now());
  await updateBlock(tx, amended);
  return amended;
}

/** Makes blocks due again, whether in force or released, unless their flow has a newer block. */
export async function recheckBlocks(tx: Transaction, ids: readonly string[]): Promise<void> {
  const now = await tx.now();
  for (const block of await findBlocks(tx, { ids, states: ['pending', 'active', 'releasing', 'released'] })) {
    if (block.state !== 'released' || !(await hasSuccessor(tx, block))) await updateBlock(tx, recheck(block, now));
  }
}

/** Records what a query found; not for a block that changed since then, or that a run is to prove anyway. */
export async function recordProofs(
  tx: Transaction,
  proofs: ReadonlyMap<string, Proof>,
  askedAt: number,
): Promise<void> {
  const now = await tx.now();
  for (const block of await findBlocks(tx, { ids: [...proofs.keys()], states: ['active'] })) {
    const proof = proofs.get(block.id);
    if (proof === undefined || block.dueAt !== null || block.updatedAt > askedAt) continue;
    if (block.proof === proof.level && block.proofMessage === proof.message) continue;
    const updated = updateProof(block, proof, now);
    await updateBlock(tx, updated);
    await recordOutcome(tx, block, updated);
  }
}

/**
 * Records how pf's counters of blocks stand. A counter begins anew whenever pf loads its rules, so what it counted between
 * the last query and that is not known: a block has stopped at least as many packets as are recorded.
 */
export async function recordPackets(tx: Transaction, counters: readonly (readonly [string, number])[]): Promise<void> {
  const now = await tx.now();
  for (const [id, counter] of counters) {
    const row = await findRow(tx, 'SELECT packet_counter FROM block WHERE id = ?', id);
    if (row === undefined || row['packet_counter'] === counter) continue;
    const before = Number(row['packet_counter']);
    const more = counter < before ? counter : counter - before;
    await tx.run(
      'UPDATE block SET packet_counter = ?, packets = packets + ?, packets_at = coalesce(?, packets_at) WHERE id = ?',
      ...[counter, more, more > 0 ? now : null, id],
    );
  }
}

const hasSuccessor = (tx: Transaction, { firewall, tracker }: Block): Promise<boolean> =>
  hasRow(
    tx,
    "SELECT 1 FROM block WHERE firewall = ? AND tracker = ? AND state NOT IN ('released', 'refused')",
    ...[firewall, tracker],
  );

/** Ends expired blocks. This is an orderly end, not a failure. */
export async function expireBlocks(tx: Transaction, heldMs: number): Promise<Block[]> {
  const now = await tx.now();
  const due = (await tx.all("SELECT * FROM block WHERE wanted = 'present' AND expires_at <= ?", now))
    .map(toBlock)
    .filter((block) => isExpired(block, now) && !isOver(block));
  const held = await tx.all("SELECT * FROM block WHERE state = 'held' AND created_at <= ?", now - heldMs);
  return [
    ...(await moveAll(tx, due, (block) => release(block, now, 'expired'))),
    ...(await moveAll(tx, held.map(toBlock), (block) => release(block, now, 'expired while held for approval'))),
  ];
}

async function moveAll(tx: Transaction, blocks: readonly Block[], move: (block: Block) => Block): Promise<Block[]> {
  const all: Block[] = [];
  for (const block of blocks) {
    const moved = move(block);
    await updateBlock(tx, moved);
    await recordOutcome(tx, block, moved);
    all.push(moved);
  }
  return all;
}
