import type { Block } from '../core/block.js';
import { unreachable } from '../core/errors.js';

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
