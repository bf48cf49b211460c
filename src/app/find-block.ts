import { FirebreakError, quoteBack } from '../core/errors.js';
import type { Block } from '../core/block.js';
import type { Ledger } from '../ledger/ledger.js';

/**
 * The block with this id, or the only one whose id ends in it: 26 characters are too many to type at night.
 * @throws FirebreakError block_unknown, also if several ids end in it
 */
export async function findBlock(id: string, ledger: Ledger): Promise<Block> {
  const ending = id.toUpperCase();
  const found = /^[0-9A-Z]{4,26}$/.test(ending) ? await ledger.findBlocks({ idEnding: ending }) : [];
  const [block, other] = found;
  if (block === undefined) {
    throw new FirebreakError('block_unknown', `block ${quoteBack(id)} not found; run firebreak list to see the ids`);
  }
  if (other !== undefined) {
    throw new FirebreakError(
      'block_unknown',
      `${found.length} blocks have an id that ends in ${ending}; give more characters`,
    );
  }
  return block;
}
