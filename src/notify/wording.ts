import type { Block } from '../core/block.js';
import type { RecoveryEvent } from '../core/event.js';
import type { TopEntry } from '../core/stats.js';
import { formatShort } from '../core/local-time.js';
import { describeCause } from '../platforms/causes.js';
import { count } from '../views/count.js';

/** What these failing blocks lack. */
export const describeUnmet = (blocks: readonly Block[]): string =>
  blocks.every(({ desired }) => desired === 'absent') ? 'NOT released' : 'NOT in force';

/** The sources of these blocks, the most frequent first: `203.0.113.7, 203.0.113.8 and 4 more`. */
export function listSources(blocks: readonly Block[], max = 2): string {
  const sources = countTop(blocks, 'source', blocks.length).map(({ address }) => address);
  const more = sources.length - max;
  return more > 0 ? `${sources.slice(0, max).join(', ')} and ${more} more` : sources.join(', ');
}

/** `1 block NOT in force: 203.0.113.8 on edge (edge unreachable since 02:05)`, a part for each firewall. */
export function describeFailing(failing: readonly Block[], now: number): string {
  const parts = [...new Set(failing.map(({ firewall }) => firewall))].map((firewall) => {
    const blocks = failing.filter((block) => block.firewall === firewall);
    const [first] = blocks;
    const code = first?.failureCode ?? first?.failure ?? 'unknown';
    const cause = code === 'unreachable' ? `${firewall} unreachable` : describeCause(code);
    const since = Math.min(...blocks.map(({ failingSince, updatedAt }) => failingSince ?? updatedAt));
    const what = `${count(blocks.length, 'block')} ${describeUnmet(blocks)}: ${listSources(blocks)} on ${firewall}`;
    return `${what} (${cause} since ${formatShort(since, now)})`;
  });
  return parts.join('; ');
}

/** `1 block still fails`, `3 blocks still fail`. */
export const countFailing = (failing: number): string =>
  `${count(failing, 'block')} still ${failing === 1 ? 'fails' : 'fail'}`;

/** `1 block is bypassed`, `3 blocks are bypassed`. */
export const countBypassed = (bypassed: number): string =>
  `${count(bypassed, 'block')} ${bypassed === 1 ? 'is' : 'are'} bypassed`;

/** What is left of the problems of a firewall; empty if nothing is. */
export const describeLeft = ({ failing, bypassed }: Pick<RecoveryEvent, 'failing' | 'bypassed'>): string =>
  [
    ...(failing.length > 0 ? [countFailing(failing.length)] : []),
    ...(bypassed > 0 ? [countBypassed(bypassed)] : []),
  ].join(', ');

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
