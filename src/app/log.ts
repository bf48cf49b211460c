import { selectFirewalls } from '../config/select.js';
import type { OutcomeRecord } from '../core/stats.js';
import type { App } from '../runtime/app.js';

export interface LogOptions {
  sinceMs: number | null;
  source: string | undefined;
  firewalls: readonly string[];
}

/** The most outcomes that are read at once. */
const limit = 1000;

/** How often new outcomes are looked for if nothing tells of a change. */
const everyMs = 1000;

/** The latest outcomes in that time, oldest first. */
export async function readLog({ sinceMs, source, firewalls }: LogOptions, app: App): Promise<OutcomeRecord[]> {
  const since = sinceMs === null ? 0 : (await app.ledger.now()) - sinceMs;
  return app.ledger.findOutcomes({ since, ...filterOf({ source, firewalls }, app), limit });
}

/** Tells each outcome as it happens, until a signal stops it. */
export async function followLog(
  options: LogOptions,
  app: App,
  tell: (outcomes: readonly OutcomeRecord[]) => void,
): Promise<void> {
  app.catchSignals();
  const latest = (await app.ledger.findOutcomes({ since: 0, limit: 1 })).at(0)?.seq ?? 0;
  const first = await readLog(options, app);
  tell(first);
  let after = first.at(-1)?.seq ?? latest;
  while (!app.stop.aborted) {
    const outcomes = await app.ledger.findOutcomes({ since: 0, after, ...filterOf(options, app), limit });
    if (outcomes.length > 0) tell(outcomes);
    after = outcomes.at(-1)?.seq ?? after;
    await app.ledger.waitForChange(everyMs);
  }
}

function filterOf({ source, firewalls }: Pick<LogOptions, 'source' | 'firewalls'>, { config }: App) {
  const names = firewalls.length === 0 ? undefined : selectFirewalls(config, firewalls).map(([name]) => name);
  return { source, firewalls: names };
}
