import { FirebreakError, quoteBack } from '../core/errors.js';
import type { Block } from '../core/block.js';
import type { Ledger } from '../ledger/ledger.js';

/**
 * The one block with this id, or whose id ends so: nobody types 26 characters at night.
 * @throws FirebreakError block_unknown, also where several end so
 */
export async function findBlock(id: string, ledger: Ledger): Promise<Block> {
  const ending = id.toUpperCase();
  const found = /^[0-9A-Z]{4,26}$/.test(ending) ? await ledger.findBlocks({ idEnding: ending }) : [];
  const [block, other] = found;
  if (block === undefined) {
    throw new FirebreakError('block_unknown', `there is no block ${quoteBack(id)}: firebreak list shows the ids`);
  }
  if (other !== undefined) {
    throw new FirebreakError(
      'block_unknown',
      `${found.length} blocks have an id that ends in ${ending}: give more of it`,
    );
  }
  return block;
}
