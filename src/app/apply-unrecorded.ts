import type { Block } from '../core/block.js';
import type { FirebreakError } from '../core/errors.js';
import type { Answer } from '../core/outcome.js';
import type { Alarm } from '../intake/alarm.js';
import type { BlockRequest } from '../ledger/ledger.js';
import type { Host } from '../runtime/app.js';
import { admit, findMismatches, type Target } from './admit.js';
import { applyUnsaved, unsavedBlock } from './dry-run.js';
import { beginAlone, exceedsLimit, readKnown, spool } from './fallback.js';
import { describeFreeze } from './freeze.js';

interface Unrecorded {
  id: string;
  alarm: Alarm;
  target: Target;
  /** Why it cannot be recorded. */
  error: FirebreakError;
}

/**
 * If nothing can be recorded, the block is applied anyway, under the whole policy: the freeze and the learned addresses
 * come from a copy, and alarms are counted in the spool. The request is spooled and recorded when the ledger is back, so that the block expires.
 */
export async function applyUnrecorded({ id, alarm, target, error }: Unrecorded, host: Host): Promise<Answer> {
  const { config, warn } = host;
  const known = readKnown(config);
  const blocks = admit(alarm, { ...target, seen: known.seen }, config);
  for (const mismatch of findMismatches(blocks, config)) warn(mismatch);
  warn(`NOT recorded: ${error.message}`);
  const isLimited = target.override === undefined && exceedsLimit(config);
  const why = spool(config, { id, origin: host.actor, context: alarm.context, blocks, isLimited });
  warn(
    why === undefined
      ? 'the alarm is spooled, and will be recorded when the ledger is back'
      : `not spooled either: ${why}; the block will not expire automatically`,
  );
  const answer = { alarm: id, check: false, exit: error.exit };
  const notApplied = (reason: string): Answer => ({ ...answer, blocks: blocks.map(asFailed(reason)), run: null });
  if (known.frozen !== null) return notApplied(`not tried: ${describeFreeze(known.frozen)}`);
  if (isLimited) {
    const most = config.policy.limits.per_minute;
    return notApplied(`not tried: more than ${most} alarms in a minute (policy.limits.per_minute)`);
  }
  const end = beginAlone();
  if (end === undefined) return notApplied('not tried: another call is applying a block without the ledger');
  try {
    warn('applying the block anyway');
    const applied = await applyUnsaved(
      blocks.filter(({ isObserved }) => isObserved !== true),
      host,
    );
    const observed = blocks.filter(({ isObserved }) => isObserved === true).map(asObserved);
    return { ...answer, ...applied, blocks: [...applied.blocks, ...observed] };
  } finally {
    end();
  }
}

/** Nothing changes on a firewall in observe mode, and without the ledger no dry run is recorded. */
function asObserved(request: BlockRequest): Block {
  const block = unsavedBlock(request);
  return block.state === 'refused' ? block : { ...block, state: 'observed' };
}

/** A block that no run applies now, with the reason. */
const asFailed = (reason: string) => (request: BlockRequest) => {
  const block = unsavedBlock(request);
  if (block.state === 'refused') return block;
  const failure = { failure: 'failed', failureCode: 'ledger_unwritable', reason } as const;
  return { ...block, ...failure, doneRevision: 1 };
};
