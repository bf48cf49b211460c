import { selectFirewalls } from '../config/select.js';
import type { OpenIncident } from '../core/incident.js';
import type { FirewallOverview, Overview } from '../core/stats.js';
import type { Freeze } from '../ledger/ledger.js';
import type { App } from '../runtime/app.js';

/** A firewall with its failures and differences that were reported and are not over. */
export type FirewallStatus = FirewallOverview & { incidents: OpenIncident[] };

export interface Status extends Omit<Overview, 'firewalls'> {
  host: string;
  now: number;
  freeze: Freeze | undefined;
  firewalls: FirewallStatus[];
}

/** How things are, as the ledger knows it; no firewall is asked. */
export async function readStatus({ config, ledger, host }: Pick<App, 'config' | 'ledger' | 'host'>): Promise<Status> {
  const names = selectFirewalls(config, []).map(([name]) => name);
  const { firewalls, ...rest } = await ledger.findOverview(names);
  return {
    ...rest,
    host,
    now: await ledger.now(),
    freeze: await ledger.findFreeze(),
    firewalls: await Promise.all(
      firewalls.map(async (each) => ({ ...each, incidents: await ledger.findIncidents(each.name) })),
    ),
  };
}
