import { shortId, type Block } from '../core/block.js';
import { cleanDescription } from '../core/description.js';
import { FirebreakError } from '../core/errors.js';
import type { Answer } from '../core/outcome.js';
import { acquireDueLeases } from '../dispatch/wait.js';
import type { App } from '../runtime/app.js';
import { saveKnown } from './fallback.js';
import { findBlock } from './find-block.js';
import { submit } from './submit.js';

export type Decision = 'approve' | 'reject' | 'retry';

/** Describes the blocks that a decision applies to. */
export const decidable: Record<Decision, string> = {
  approve: 'held',
  reject: 'held',
  retry: 'failed or waiting for a retry',
};

/**
 * Decides on held and failed blocks, and applies what that makes due.
 * @param id undefined decides on all
 * @throws FirebreakError block_unknown if the named block is not in such a state
 */
export async function decide(decision: Decision, id: string | undefined, app: App): Promise<Answer> {
  const { ledger } = app;
  const chosen = id === undefined ? undefined : await findBlock(id, ledger);
  const record = async (owner: string) => {
    const blocks = await ledger.decide(decision, chosen === undefined ? 'all' : [chosen.id]);
    if (blocks.length === 0) assertAll(decision, chosen);
    return { blocks, leases: await acquireDueLeases(blocks, owner, ledger) };
  };
  return submit(app, record, { wait: true });
}

/**
 * Decides on those of these blocks that are in such a state, and leaves it to the caller to apply what that makes due.
 * @returns the blocks that were decided on
 */
export async function requestDecision(
  decision: Decision,
  { ids, reason = '' }: { ids: readonly string[]; reason?: string },
  app: App,
): Promise<Block[]> {
  const blocks = await app.ledger.decide(decision, ids, cleanDescription(reason));
  await saveKnown(app);
  return blocks;
}

function assertAll(decision: Decision, chosen: Block | undefined): void {
  if (chosen === undefined) return;
  throw new FirebreakError(
    'block_unknown',
    `block ${shortId(chosen)} is ${chosen.state}, not ${decidable[decision]}; run firebreak show ${shortId(chosen)} to see why`,
  );
}
