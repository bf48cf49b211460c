import type { Block } from '../../core/block.js';
import { carry, settle } from '../../core/lifecycle.js';
import type { ClaimedBlock, EndedRun, Lease } from '../ledger.js';
import type { Database } from './database.js';
import { isFrozen } from './freeze.js';
import { noteOutcome } from './history.js';
import { checkFence } from './leases.js';
import { getBlock, toBlock, updateBlock } from './rows.js';
import { noteAddresses } from './seen.js';

/** Takes what is due along in a run; inside the caller's transaction. @throws LeaseLost */
export function claimBatch(database: Database, lease: Lease, run: string, limit: number, now: number): ClaimedBlock[] {
  checkFence(database, lease, run);
  if (isFrozen(database)) return [];
  const claimed = database
    .all(
      'SELECT * FROM block WHERE firewall = ? AND due_at <= ? ORDER BY due_at, seq LIMIT ?',
      lease.firewall,
      now,
      limit,
    )
    .map((row) => carry(toBlock(row), run));
  for (const block of claimed) updateBlock(database, block);
  if (claimed.length > 0) {
    database.run(
      'INSERT INTO run (id, firewall, fence, started_at, ms, batch) VALUES (?, ?, ?, ?, NULL, ?)',
      ...[run, lease.firewall, lease.fence, now, claimed.length],
    );
  }
  return claimed;
}

/** Records what a run found. @throws LeaseLost: what it found may be old by now, and the next run finds out itself */
export function settleBatch(database: Database, lease: Lease, ended: EndedRun, now: number): Block[] {
  checkFence(database, lease, null);
  database.run('UPDATE run SET ms = ? WHERE id = ?', ended.ms, ended.id);
  if (ended.addresses !== undefined) noteAddresses(database, lease.firewall, ended.addresses, now);
  return ended.claimed.map((claimed) => {
    const before = getBlock(database, claimed.id);
    const settled = settle(before, ended.findingOf(claimed), {
      now,
      carried: claimed.revision,
      wanted: claimed.wanted,
      giveUpMs: ended.giveUpMs,
    });
    updateBlock(database, settled);
    noteOutcome(database, before, settled, now);
    return settled;
  });
}
