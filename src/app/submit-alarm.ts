import { ulid } from 'ulid';
import type { Config } from '../config/schema.js';
import { cleanDescription } from '../core/description.js';
import { FirebreakError } from '../core/errors.js';
import type { Answer } from '../core/outcome.js';
import { parseAlarm, type Alarm, type AlarmRequest } from '../intake/alarm.js';
import type { App, Host } from '../runtime/app.js';
import { admit, findMismatches } from './admit.js';
import { openLedger } from './context.js';
import { takeSpooled } from './fallback.js';
import { submit, type Recorded } from './submit.js';

export interface BlockOptions {
  /** All firewalls where none is named. */
  firewalls: readonly string[];
  check: boolean;
  wait: boolean;
  /** Why the policy is not to count this once. */
  override?: string | undefined;
  /** Proves a block again, however recent its proof. */
  recheck?: boolean;
}

/** One alarm, all the way: request -> policy -> ledger -> run -> answer. */
export async function submitAlarm(request: AlarmRequest, options: BlockOptions, host: Host): Promise<Answer> {
  const alarm = parseAlarm(request, host.config);
  const override = parseOverride(options.override);
  const target = { firewalls: options.firewalls, override };
  for (const mismatch of findMismatches(alarm, target.firewalls, host.config)) host.warn(mismatch);
  if (options.check) return (await import('./dry-run.js')).dryRunBlock(alarm, target, host);
  const id = ulid();
  try {
    const ledger = await openLedger(host);
    try {
      const app = { ...host, ledger };
      await takeSpooled(app);
      const record = (owner: string): Promise<Recorded> => recordAlarm({ id, alarm, target, owner }, options, app);
      return { ...(await submit(app, record, options)), alarm: id };
    } finally {
      await ledger.close();
    }
  } catch (error) {
    // Busy is not broken: whoever is at the ledger must not meet a run that it does not know.
    const isBroken =
      error instanceof FirebreakError && error.code.startsWith('ledger_') && error.code !== 'ledger_busy';
    if (!isBroken) throw error;
    const { applyUnrecorded } = await import('./apply-unrecorded.js');
    return applyUnrecorded({ id, alarm, target, error }, host);
  }
}

interface AlarmToRecord {
  id: string;
  alarm: Alarm;
  target: { firewalls: readonly string[]; override: string | undefined };
  owner: string;
}

/** The ledger has seen addresses that must not be blocked and that the configuration does not name. */
async function recordAlarm(
  { id, alarm, target, owner }: AlarmToRecord,
  { wait, recheck = false }: BlockOptions,
  { ledger, config, actor }: App,
): Promise<Recorded> {
  const blocks = admit(alarm, { ...target, seen: await ledger.findSeen() }, config);
  const kept = await ledger.recordAlarms([{ id, origin: actor, context: alarm.context, blocks }], {
    ...recordOptions(config),
    ...(recheck && { recheckMs: 0 }),
    owner,
    isHandedOver: !wait,
  });
  return { ...kept, blocks: kept.blocks.flat() };
}

const recordOptions = ({ dispatch, policy: { limits } }: Config) => ({
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

function parseOverride(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const reason = cleanDescription(text);
  if (reason !== '') return reason;
  throw new FirebreakError('usage', '--override-policy: say why, in letters: it is recorded with the block');
}
