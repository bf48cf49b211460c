import type { SyslogConfig } from '../../config/schema.js';
import type { OutcomeRecord } from '../../core/stats.js';
import { describeError } from '../../core/describe.js';
import type { NotifyContext, OpenFeed } from '../channel.js';

/** The name of its cursor in the ledger. */
const feed = 'syslog';
const claimMs = 60_000;

/** The delay after which sending to a failing server is retried. */
const retryAfterMs = 60_000;

/** Sends a line for each outcome of a block, as the configuration's `syslog` says. */
export const openSyslog: OpenFeed = (context) => {
  const { syslog } = context.config;
  if (syslog === undefined) return undefined;
  return {
    claim: async (sender) => (await context.ledger.claimOutcomes(feed, sender, claimMs)).length > 0,
    forward: (sender) => forward(syslog, context, sender),
  };
};

async function forward(syslog: SyslogConfig, context: NotifyContext, sender: string): Promise<void> {
  const { ledger, warn } = context;
  let outcomes = await ledger.claimOutcomes(feed, sender, claimMs);
  if (outcomes.length === 0) return;
  const { parseTarget, sendLines } = await import('./syslog-socket.js');
  const target = parseTarget(syslog.to);
  while (outcomes.length > 0) {
    const lines = await toLines(outcomes, syslog, context);
    try {
      await sendLines(target, lines);
    } catch (error) {
      warn(`could not send to syslog ${syslog.to}: ${describeError(error)}; will retry`);
      await ledger.ackOutcomes(feed, sender, { retryAfterMs });
      return;
    }
    await ledger.ackOutcomes(feed, sender, { seq: outcomes.at(-1)?.seq ?? 0 });
    outcomes = await ledger.claimOutcomes(feed, sender, claimMs);
  }
}

async function toLines(
  outcomes: readonly OutcomeRecord[],
  { facility }: SyslogConfig,
  { ledger, host }: NotifyContext,
): Promise<string[]> {
  const { toSyslogLine } = await import('./syslog-line.js');
  const origin = { facility, host, pid: process.pid, audit: await ledger.findAuditHead() };
  const lines: string[] = [];
  for (const outcome of outcomes) {
    const event = (await ledger.findAlarms(outcome.block.id)).at(-1)?.context['event-id'];
    lines.push(toSyslogLine({ ...outcome, event }, origin));
  }
  return lines;
}
