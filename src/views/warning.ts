import type { Block } from '../core/block.js';
import { unreachable } from '../core/errors.js';
import { count } from './count.js';

/** Why a block is less than in force and proven (contract: `warning`); null if it is not active, or proven. */
export function warningOf({ state, proof, proofMessage }: Block): string | null {
  if (state !== 'active' || proof === null || proof === 'decides') return null;
  const why = proofMessage ?? 'no reason is known';
  switch (proof) {
    case 'listed':
      return `in force; not proven to decide: ${why}`;
    case 'shadowed':
    case 'unreachable_path':
      return `the rule stands, but the packet is not stopped: ${why}`;
    default:
      return unreachable(proof);
  }
}

/** The most frequent warnings of these blocks, each with its number of blocks. */
export function countWarnings(blocks: readonly Block[], max = 3): string[] {
  const warnings = blocks.flatMap((block) => warningOf(block) ?? []);
  const counts = new Map<string, number>();
  for (const warning of warnings) counts.set(warning, (counts.get(warning) ?? 0) + 1);
  const listed = [...counts].sort(([, one], [, other]) => other - one).slice(0, max);
  const rest = warnings.length - listed.reduce((sum, [, many]) => sum + many, 0);
  const lines = listed.map(([warning, many]) => `${count(many, 'block')}: ${warning}`);
  return rest === 0 ? lines : [...lines, `${count(rest, 'more block')} with a warning: firebreak list`];
}
