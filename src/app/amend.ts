import { isOver, shortId, type Block } from '../core/block.js';
import { FirebreakError } from '../core/errors.js';
import { formatLocal } from '../core/local-time.js';
import { toPrintable } from '../core/printable.js';
import type { App } from '../runtime/app.js';
import { findBlock } from './find-block.js';

const maxComment = 500;

/**
 * Moves the end of a current block to this time from now.
 * @param forMs null: forever
 * @throws FirebreakError block_unknown; usage if the block would end earlier than it does
 */
export async function extendBlock(id: string, forMs: number | null, { ledger }: App): Promise<Block> {
  const block = await findBlock(id, ledger);
  if (isOver(block) || block.desired === 'absent') {
    throw new FirebreakError(
      'block_unknown',
      `block ${shortId(block)} is ${block.state}: firebreak block blocks it again`,
    );
  }
  const expiresAt = forMs === null ? null : (await ledger.now()) + forMs;
  if (expiresAt !== null && (block.expiresAt === null || block.expiresAt > expiresAt)) {
    const end = block.expiresAt === null ? 'forever' : `until ${formatLocal(block.expiresAt)}`;
    throw new FirebreakError(
      'usage',
      `block ${shortId(block)} stands ${end} already; firebreak unblock ends it earlier`,
    );
  }
  return ledger.amend(block.id, { expiresAt });
}

/** Replaces the operator's note of a block, current or past; an empty one removes it. @throws FirebreakError block_unknown */
export async function commentOnBlock(id: string, text: string, { ledger }: App): Promise<Block> {
  const block = await findBlock(id, ledger);
  const comment = toPrintable(text).replaceAll(/\s+/g, ' ').trim().slice(0, maxComment);
  return ledger.amend(block.id, { comment: comment === '' ? null : comment });
}
