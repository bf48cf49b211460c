import { isOver, type Block } from '../core/block.js';
import type { App } from '../runtime/app.js';

const pollMs = 1000;

/** Waits until what was requested of the blocks is applied, whoever applies it, or the time is up. */
export async function waitForBlocks(
  requested: readonly Block[],
  ms: number,
  { ledger, stop }: Pick<App, 'ledger' | 'stop'>,
): Promise<Block[]> {
  const ids = requested.map(({ id }) => id);
  const deadline = performance.now() + ms;
  for (;;) {
    const found = new Map((await ledger.findBlocks({ ids })).map((block) => [block.id, block]));
    const current = requested.map((block) => found.get(block.id) ?? block);
    const leftMs = deadline - performance.now();
    const isOpen = current.some((block, index) => isPending(block, requested[index]?.revision ?? 0));
    if (!isOpen || leftMs <= 0 || stop.aborted) return current;
    await ledger.waitForChange(Math.min(pollMs, leftMs));
  }
}

const isPending = (block: Block, revision: number): boolean =>
  block.doneRevision < revision && block.dueAt !== null && !isOver(block) && block.state !== 'held';
