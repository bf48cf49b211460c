import { isOver, type Block } from '../../core/block.js';
import { approve, recheck, isExpired, release, retry } from '../../core/lifecycle.js';
import type { BlockQuery } from '../ledger.js';
import { findBlocks, toBlock, updateBlock } from './block-rows.js';
import { hasRow, type Transaction } from './database.js';
import { recordOutcome } from './history.js';

/** Moves that a person or the time decides. */

export async function releaseBlocks(tx: Transaction, query: BlockQuery, reason: string): Promise<Block[]> {
  const now = await tx.now();
  const open = (await findBlocks(tx, query)).filter((block) => !isOver(block));
  return moveAll(tx, open, (block) => release(block, now, reason));
}

export async function decideBlocks(
  tx: Transaction,
  move: 'approve' | 'reject' | 'retry',
  ids: readonly string[] | 'all',
): Promise<Block[]> {
  const now = await tx.now();
  const states = move === 'retry' ? (['failed', 'pending', 'releasing'] as const) : (['held'] as const);
  const moves: Record<typeof move, (block: Block) => Block> = {
    approve: (block) => approve(block, now),
    reject: (block) => release(block, now, 'rejected by an operator'),
    retry: (block) => retry(block, now),
  };
  return moveAll(tx, await findBlocks(tx, { ...(ids !== 'all' && { ids }), states }), moves[move]);
}

/** Has blocks checked again, whether they are in force or gone; a flow's new block speaks for its old one. */
export async function recheckBlocks(tx: Transaction, ids: readonly string[]): Promise<void> {
  const now = await tx.now();
  for (const block of await findBlocks(tx, { ids, states: ['pending', 'active', 'releasing', 'released'] })) {
    if (block.state !== 'released' || !(await hasSuccessor(tx, block))) await updateBlock(tx, recheck(block, now));
  }
}

const hasSuccessor = (tx: Transaction, { firewall, tracker }: Block): Promise<boolean> =>
  hasRow(
    tx,
    "SELECT 1 FROM block WHERE firewall = ? AND tracker = ? AND state NOT IN ('released', 'refused')",
    ...[firewall, tracker],
  );

/** Ends what is past its time. An orderly end, so it is no failure that nobody decided it. */
export async function expireBlocks(tx: Transaction, heldMs: number): Promise<Block[]> {
  const now = await tx.now();
  const due = (await tx.all("SELECT * FROM block WHERE wanted = 'present' AND expires_at <= ?", now))
    .map(toBlock)
    .filter((block) => isExpired(block, now) && !isOver(block));
  const held = await tx.all("SELECT * FROM block WHERE state = 'held' AND created_at <= ?", now - heldMs);
  return [
    ...(await moveAll(tx, due, (block) => release(block, now, 'its time is over'))),
    ...(await moveAll(tx, held.map(toBlock), (block) => release(block, now, 'held, and nobody approved it in time'))),
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
