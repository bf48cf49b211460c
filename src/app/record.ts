import type { Config } from '../config/schema.js';
import type { Block } from '../core/block.js';
import { cleanDescription } from '../core/description.js';
import { FirebreakError, quoteBack } from '../core/errors.js';
import type { Alarm } from '../intake/alarm.js';
import type { Lease } from '../ledger/ledger.js';
import type { App } from '../runtime/app.js';
import { admit, findMismatches, type Target } from './admit.js';

/** What a request recorded in the ledger: the blocks it concerns, and the leases to apply them with. */
export interface Recorded {
  blocks: Block[];
  leases: Lease[];
  /** Whether the first block of a storm was held. */
  isFirstHeld?: boolean;
  /** Ids of blocks that this same event had already requested. */
  repeated?: readonly string[];
  /** Ids of blocks whose end the request moved. */
  extended?: readonly string[];
}

export interface BlockOptions {
  /** Empty: all firewalls. */
  firewalls: readonly string[];
  check: boolean;
  wait: boolean;
  /** The alarm's id, if another process may have recorded it already. */
  alarm?: string | undefined;
  /** Why the policy is overridden. */
  override?: string | undefined;
  /** Proves a block again, however recent its proof. */
  recheck?: boolean;
  /** Whether a person makes the request, and not a sensor. */
  isByHand?: boolean;
}

export interface AlarmToRecord {
  id: string;
  alarm: Alarm;
  target: Target;
  owner: string;
}

/** Records the alarm under the policy with learned addresses, which the configuration does not list. */
export async function recordAlarm(
  { id, alarm, target, owner }: AlarmToRecord,
  { wait, recheck = false }: BlockOptions,
  { ledger, config, actor, warn }: App,
): Promise<Recorded> {
  const blocks = admit(alarm, { ...target, seen: await ledger.findSeen() }, config);
  for (const mismatch of findMismatches(blocks, config)) warn(mismatch);
  const recorded = await ledger.recordAlarms([{ id, origin: actor, context: alarm.context, blocks }], {
    ...recordOptions(config),
    ...(recheck && { recheckMs: 0 }),
    owner,
    isHandedOver: !wait,
  });
  return { ...recorded, blocks: recorded.blocks.flat() };
}

/** How the configuration records alarms of any sender. */
export const recordOptions = ({ dispatch, policy: { limits, on_protected } }: Config) => ({
  keepsProtected: on_protected === 'warn',
  recheckMs: dispatch.recheck,
  sameEventMs: dispatch.same_event,
  limits: limits.hold
    ? {
        perMinute: limits.per_minute,
        active: limits.active,
        perDestination: limits.per_destination,
        reserved: limits.reserved,
        highRisk: limits.high_risk,
      }
    : undefined,
});

/** An operator's reason to override the policy. @throws FirebreakError usage */
export function parseOverride(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const reason = cleanDescription(text);
  if (reason !== '') return reason;
  throw new FirebreakError('usage', `--override-policy: expected a reason in letters, got ${quoteBack(text)}`);
}
