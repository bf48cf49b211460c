import type { Block } from '../core/block.js';
import type { TopEntry } from '../core/stats.js';

/** `1 block`, `3 blocks`. */
export const count = (amount: number, noun: string): string => `${amount} ${noun}${amount === 1 ? '' : 's'}`;

/** What these failing blocks are not. */
export const describeUnmet = (blocks: readonly Block[]): string =>
  blocks.every(({ desired }) => desired === 'absent') ? 'NOT released' : 'NOT in force';

/** The addresses in most of these blocks, as their source or destination. */
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
