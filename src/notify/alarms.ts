import type { Block } from '../core/block.js';
import { maxListed, type AlarmsByBlock } from '../core/event.js';
import type { Ledger } from '../ledger/ledger.js';

/** The alarms of the blocks that a channel lists. */
export async function findListedAlarms(blocks: readonly Block[], ledger: Ledger): Promise<AlarmsByBlock> {
  const listed = blocks.slice(0, maxListed);
  return new Map(await Promise.all(listed.map(async ({ id }) => [id, await ledger.findAlarms(id)] as const)));
}
