import type { Block } from '../core/block.js';
import type { RecoveryEvent } from '../core/event.js';
import type { TopEntry } from '../core/stats.js';
import { count } from '../views/count.js';

/** What these failing blocks lack. */
export const describeUnmet = (blocks: readonly Block[]): string =>
  blocks.every(({ desired }) => desired === 'absent') ? 'NOT released' : 'NOT in force';

/** `1 block still fails`, `3 blocks still fail`. */
export const countFailing = (failing: number): string =>
  `${count(failing, 'block')} still ${failing === 1 ? 'fails' : 'fail'}`;

/** `1 block is bypassed`, `3 blocks are bypassed`. */
export const countBypassed = (bypassed: number): string =>
  `${count(bypassed, 'block')} ${bypassed === 1 ? 'is' : 'are'} bypassed`;

/** What is left of the problems of a firewall; empty if nothing is. */
export const describeLeft = ({ failing, bypassed }: Pick<RecoveryEvent, 'failing' | 'bypassed'>): string =>
  [...(failing > 0 ? [countFailing(failing)] : []), ...(bypassed > 0 ? [countBypassed(bypassed)] : [])].join(', ');

export function describeRecovery(event: RecoveryEvent, lasted: string): string {
  const left = describeLeft(event);
  return left === ''
    ? `recovered after ${lasted}, everything is as requested`
    : `partly recovered after ${lasted}, ${left}`;
}

/** What the rules of these blocks do not do. */
export const describeBypassed = (blocks: readonly Block[]): string =>
  blocks.length === 1
    ? '1 block stands but does not stop its packets'
    : `${blocks.length} blocks stand but do not stop their packets`;

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
