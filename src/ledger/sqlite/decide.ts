import { isOver, type Block } from '../../core/block.js';
import { approve, doubt, isExpired, release, retry } from '../../core/lifecycle.js';
import type { BlockQuery } from '../ledger.js';
import type { Database } from './database.js';
import { noteOutcome } from './history.js';
import { findBlocks, toBlock, updateBlock } from './rows.js';

/** Moves that a person or the time decides, each inside the caller's transaction. */

export function releaseBlocks(database: Database, query: BlockQuery, reason: string, now: number): Block[] {
  return moveAll(
    database,
    findBlocks(database, query).filter((block) => !isOver(block)),
    (block) => release(block, now, reason),
    now,
  );
}

export function decideBlocks(
  database: Database,
  move: 'approve' | 'reject' | 'retry',
  ids: readonly string[] | 'all',
  now: number,
): Block[] {
  const chosen = ids === 'all' ? {} : { ids };
  switch (move) {
    case 'approve':
      return moveAll(
        database,
        findBlocks(database, { ...chosen, states: ['held'] }),
        (block) => approve(block, now),
        now,
      );
    case 'reject':
      return moveAll(
        database,
        findBlocks(database, { ...chosen, states: ['held'] }),
        (block) => release(block, now, 'rejected by an operator'),
        now,
      );
    case 'retry': {
      const states = ['failed', 'pending', 'releasing'] as const;
      return moveAll(database, findBlocks(database, { ...chosen, states }), (block) => retry(block, now), now);
    }
  }
}

/** Has blocks looked at again, whether they stand or are gone; a flow's new block speaks for its old one. */
export function doubtBlocks(database: Database, ids: readonly string[], now: number): void {
  for (const block of findBlocks(database, { ids, states: ['pending', 'active', 'releasing', 'released'] })) {
    if (block.state !== 'released' || !hasSuccessor(database, block)) updateBlock(database, doubt(block, now));
  }
}

const hasSuccessor = (database: Database, { firewall, tracker }: Block): boolean =>
  database.get(
    "SELECT 1 FROM block WHERE firewall = ? AND tracker = ? AND state NOT IN ('released', 'refused')",
    ...[firewall, tracker],
  ) !== undefined;

/** What is past its time. An orderly end, so it is no trouble that nobody decided it. */
export function expireBlocks(
  database: Database,
  { heldMs, keepAlarmsMs }: { heldMs: number; keepAlarmsMs: number },
  now: number,
): Block[] {
  const due = database
    .all("SELECT * FROM block WHERE wanted = 'present' AND expires_at <= ?", now)
    .map(toBlock)
    .filter((block) => isExpired(block, now) && !isOver(block));
  const lapsed = database
    .all("SELECT * FROM block WHERE state = 'held' AND created_at <= ?", now - heldMs)
    .map(toBlock);
  const moved = [
    ...moveAll(database, due, (block) => release(block, now, 'its time is over'), now),
    ...moveAll(database, lapsed, (block) => release(block, now, 'held, and nobody approved it in time'), now),
  ];
  forget(database, now - keepAlarmsMs);
  forgetMessages(database, now - Math.max(keepAlarmsMs, keepMessagesMs));
  return moved;
}

function forget(database: Database, before: number): void {
  database.run("DELETE FROM block WHERE state IN ('released', 'refused') AND updated_at < ?", before);
  database.run('DELETE FROM alarm_block WHERE block NOT IN (SELECT id FROM block)');
  database.run('DELETE FROM alarm WHERE received_at < ? AND id NOT IN (SELECT alarm FROM alarm_block)', before);
  database.run('DELETE FROM run WHERE started_at < ?', before);
  database.run('DELETE FROM outcome WHERE at < ?', before);
  database.run('DELETE FROM drift WHERE at < ?', before);
}

/** A message of the last days is kept all the same: its id tells that it was sent. */
const keepMessagesMs = 7 * 24 * 3_600_000;

function forgetMessages(database: Database, before: number): void {
  database.run('DELETE FROM outbox WHERE due_at IS NULL AND created_at < ?', before);
}

function moveAll(database: Database, blocks: readonly Block[], move: (block: Block) => Block, now: number): Block[] {
  return blocks.map((block) => {
    const moved = move(block);
    updateBlock(database, moved);
    noteOutcome(database, block, moved, now);
    return moved;
  });
}
