import { hostname } from 'node:os';
import { ulid } from 'ulid';
import type { Config } from '../../config/schema.js';
import { describeError } from '../../core/describe.js';
import type { Ledger } from '../../ledger/ledger.js';

const feed = 'syslog';
const holdMs = 60_000;

/** A server that does not take them is asked again after this. */
const restMs = 60_000;

/** Whether outcomes wait for syslog and nobody is at it; they are the sender's then. */
export const hasLines = async ({ syslog }: Config, ledger: Ledger, sender: string): Promise<boolean> =>
  syslog !== undefined && (await ledger.claimOutcomes(feed, sender, holdMs)).length > 0;

/** Tells syslog of all that has come about, a line each. What it does not take is told later. */
export async function tellSyslog(
  { syslog }: Config,
  ledger: Ledger,
  tell: (message: string) => void,
  sender = ulid(),
): Promise<void> {
  if (syslog === undefined) return;
  let outcomes = await ledger.claimOutcomes(feed, sender, holdMs);
  if (outcomes.length === 0) return;
  const [{ parseTarget, sendLines }, { toSyslogLine }] = await Promise.all([
    import('./syslog-socket.js'),
    import('./syslog-line.js'),
  ]);
  const audit = await ledger.findAuditHead();
  const origin = { facility: syslog.facility, host: hostname(), pid: process.pid, audit };
  while (outcomes.length > 0) {
    const lines: string[] = [];
    for (const outcome of outcomes) {
      const event = (await ledger.findAlarms(outcome.block.id)).at(-1)?.context['event-id'];
      lines.push(toSyslogLine({ ...outcome, event }, origin));
    }
    try {
      await sendLines(parseTarget(syslog.to), lines);
    } catch (error) {
      tell(`syslog not told, ${syslog.to}: ${describeError(error)}; kept, and tried again`);
      await ledger.ackOutcomes(feed, sender, { retryAfterMs: restMs });
      return;
    }
    await ledger.ackOutcomes(feed, sender, { seq: outcomes.at(-1)?.seq ?? 0 });
    outcomes = await ledger.claimOutcomes(feed, sender, holdMs);
  }
}
