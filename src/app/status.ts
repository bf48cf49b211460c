import { readFeedState, type FeedState } from '../config/feed-state.js';
import { isObserving, selectFirewalls } from '../config/select.js';
import { driftCause, groupCauses, type OpenIncident } from '../core/incident.js';
import type { FirewallOverview, Overview } from '../core/stats.js';
import type { Freeze, Ledger } from '../ledger/ledger.js';
import type { App } from '../runtime/app.js';

/** A firewall with what is wrong there: why blocks fail, and a known difference from the ledger. */
export type FirewallStatus = FirewallOverview & { incidents: OpenIncident[]; isObserving: boolean };

export interface Status extends Omit<Overview, 'firewalls'> {
  host: string;
  now: number;
  freeze: Freeze | undefined;
  firewalls: FirewallStatus[];
  /** Undefined if no feed is configured. */
  feed: FeedState | undefined;
}

/** How things are, as the ledger knows it; no firewall is asked. */
export async function readStatus({ config, ledger, host }: Pick<App, 'config' | 'ledger' | 'host'>): Promise<Status> {
  const names = selectFirewalls(config, []).map(([name]) => name);
  const seen = await ledger.findSeen();
  const { firewalls, ...rest } = await ledger.findOverview(names);
  return {
    ...rest,
    host,
    feed: readFeedState(config),
    now: await ledger.now(),
    freeze: await ledger.findFreeze(),
    firewalls: await Promise.all(
      firewalls.map(async (each) => ({
        ...each,
        isObserving: isObserving(each.name, config, seen),
        incidents: await findIncidents(each.name, ledger),
      })),
    ),
  };
}

async function findIncidents(firewall: string, ledger: Ledger): Promise<OpenIncident[]> {
  const open = await ledger.findBlocks({ firewalls: [firewall], states: ['pending', 'releasing', 'failed'] });
  const causes = groupCauses(open.filter(({ failure }) => failure !== null));
  const drift = (await ledger.findIncidents(firewall)).filter(({ cause }) => cause === driftCause);
  return [...[...causes].map(([cause, { beganAt }]) => ({ cause, beganAt })), ...drift];
}
