import { ulid } from 'ulid';
import type { Config } from '../config/schema.js';
import { cleanDescription } from '../core/description.js';
import { FirebreakError, quoteBack } from '../core/errors.js';
import type { Answer } from '../core/outcome.js';
import { parseAlarm, type Alarm, type AlarmRequest } from '../intake/alarm.js';
import type { App, Host } from '../runtime/app.js';
import { admit, findMismatches } from './admit.js';
import { openLedger } from './context.js';
import { takeSpooled } from './fallback.js';
import { submit, type Recorded } from './submit.js';

export interface BlockOptions {
  /** Empty: all firewalls. */
  firewalls: readonly string[];
  check: boolean;
  wait: boolean;
  /** Why the policy is overridden. */
  override?: string | undefined;
  /** Proves a block again, however recent its proof. */
  recheck?: boolean;
}

/** Handles one alarm from end to end: request -> policy -> ledger -> run -> answer. */
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
    // Busy is not broken: a run that the ledger does not know could conflict with those that it does.
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

/** Records the alarm under the policy with learned addresses, which the configuration does not list. */
async function recordAlarm(
  { id, alarm, target, owner }: AlarmToRecord,
  { wait, recheck = false }: BlockOptions,
  { ledger, config, actor }: App,
): Promise<Recorded> {
  const blocks = admit(alarm, { ...target, seen: await ledger.findSeen() }, config);
  const recorded = await ledger.recordAlarms([{ id, origin: actor, context: alarm.context, blocks }], {
    ...recordOptions(config),
    ...(recheck && { recheckMs: 0 }),
    owner,
    isHandedOver: !wait,
  });
  return { ...recorded, blocks: recorded.blocks.flat() };
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
  throw new FirebreakError('usage', `--override-policy: expected a reason in letters, got ${quoteBack(text)}`);
}
