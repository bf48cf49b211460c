import type { Block } from '../core/block.js';
import type { TopEntry } from '../core/stats.js';
import { count } from '../views/count.js';

/** What these failing blocks lack. */
export const describeUnmet = (blocks: readonly Block[]): string =>
  blocks.every(({ desired }) => desired === 'absent') ? 'NOT released' : 'NOT in force';

/** `1 block still fails`, `3 blocks still fail`. */
export const countFailing = (failing: number): string =>
  `${count(failing, 'block')} still ${failing === 1 ? 'fails' : 'fail'}`;

/** @param failing the number of blocks that fail for another reason */
export const describeRecovery = (failing: number, lasted: string): string =>
  failing === 0
    ? `recovered after ${lasted}, everything is as requested`
    : `partly recovered after ${lasted}, ${countFailing(failing)}`;

/** The most frequent sources or destinations of these blocks. */
export function countTop(blocks: readonly Block[], end: 'source' | 'destination', max: number): TopEntry[] {
  const counts = new Map<string, TopEntry>();
  for (const { flow, alarms } of blocks) {
    const address = flow[end];
    const known = counts.get(address) ?? { address, blocks: 0, alarms: 0 };
    counts.set(address, { address, blocks: known.blocks + 1, alarms: known.alarms + alarms });
  }
  return [...counts.values()]
    .sort((one, other) => other.blocks - one.blocks || (one.address < other.address ? -1 : 1))
    .slice(0, max);
}
