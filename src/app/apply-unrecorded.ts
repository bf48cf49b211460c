import type { FirebreakError } from '../core/errors.js';
import type { Answer } from '../core/outcome.js';
import type { Alarm } from '../intake/alarm.js';
import type { BlockRequest } from '../ledger/ledger.js';
import type { Host } from '../runtime/app.js';
import { admit, type Target } from './admit.js';
import { applyUnsaved, unsavedBlock } from './dry-run.js';
import { beginAlone, readKnown, spool } from './fallback.js';
import { describeFreeze } from './freeze.js';

interface Unrecorded {
  id: string;
  alarm: Alarm;
  target: Target;
  /** Why it cannot be recorded. */
  error: FirebreakError;
}

/**
 * Where nothing can be recorded, the block is applied all the same, by the whole policy: the freeze and the addresses
 * seen are known from a copy. The request waits in a spool and is recorded when the ledger is back, so that it expires.
 */
export async function applyUnrecorded({ id, alarm, target, error }: Unrecorded, host: Host): Promise<Answer> {
  const { config, warn } = host;
  const known = readKnown(config);
  const blocks = admit(alarm, { ...target, seen: known.seen }, config);
  warn(`NOT kept: ${error.message}`);
  const why = spool(config, { id, origin: host.actor, context: alarm.context, blocks });
  warn(
    why === undefined
      ? 'it waits in the spool, and is kept when the ledger is back'
      : `nor in the spool: ${why}; nothing will release it by itself`,
  );
  const answer = { alarm: id, check: false, exit: error.exit };
  const untried = (reason: string): Answer => ({ ...answer, blocks: blocks.map(asFailed(reason)), run: null });
  if (known.frozen !== null) return untried(`not tried: ${describeFreeze(known.frozen)}`);
  const end = beginAlone();
  if (end === undefined) return untried('not tried: another call is at it without the ledger');
  try {
    warn('trying the block all the same');
    return { ...answer, ...(await applyUnsaved(blocks, host)) };
  } finally {
    end();
  }
}

/** A block for which no run is started now, and why. */
const asFailed = (reason: string) => (request: BlockRequest) => {
  const block = unsavedBlock(request);
  if (block.state === 'refused') return block;
  const failure = { failure: 'failed', failureCode: 'ledger_unwritable', reason } as const;
  return { ...block, ...failure, doneRevision: 1 };
};
