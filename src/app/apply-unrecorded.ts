import type { Config } from '../config/schema.js';
import type { FirebreakError } from '../core/errors.js';
import type { Answer } from '../core/outcome.js';
import type { Alarm } from '../intake/alarm.js';
import type { NewAlarm } from '../ledger/ledger.js';
import { asLoose, tryUnkept } from './dry-run.js';
import { beginAlone, readKnown, spool } from './fallback.js';
import { describeFreeze } from './requests.js';
import type { CommandContext } from './result.js';
import { findPolicies, toKeepBlocks } from './admit.js';

interface Unkept {
  request: Omit<NewAlarm, 'blocks'>;
  alarm: Alarm;
  asked: { firewalls: readonly string[]; override: string | undefined };
  /** Why it cannot be kept. */
  error: FirebreakError;
}

/**
 * Where nothing can be kept, the block is tried all the same, by the whole policy: what was frozen and what was seen is
 * known from a copy. The request waits in a spool, and is kept when the ledger is back, so that it ends by itself.
 */
export async function blockWithoutLedger(
  { request, alarm, asked, error }: Unkept,
  config: Config,
  { tell }: CommandContext,
): Promise<Answer> {
  const known = readKnown(config);
  const blocks = toKeepBlocks(alarm, config, { ...asked, policyOf: findPolicies(config, known.seen) });
  tell(`NOT kept: ${error.message}`);
  const why = spool(config, { ...request, blocks });
  tell(
    why === undefined
      ? 'it waits in the spool, and is kept when the ledger is back'
      : `nor in the spool: ${why}; nothing will release it by itself`,
  );
  const untried = (reason: string): Answer => ({ ...asLoose(blocks, reason), alarm: request.id, check: false });
  if (known.frozen !== null) return untried(`not tried: ${describeFreeze(known.frozen)}`);
  const end = beginAlone();
  if (end === undefined) return untried('not tried: another call is at it without the ledger');
  try {
    tell('trying the block all the same');
    return await tryUnkept(blocks, request.id, config);
  } finally {
    end();
  }
}
