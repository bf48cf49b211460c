import { describeChange } from '../core/address-change.js';
import type { App } from '../runtime/app.js';
import { readFirewall } from '../dispatch/read-status.js';
import type { StatusResult } from '../platforms/ansible/events.js';
import type { NotifyContext } from './channel.js';
import { notify } from './notify.js';

/** A firewall's addresses are queried again after this time: a refused alarm starts no run that would update them. */
const refreshEveryMs = 3_600_000;

/** Queries the addresses of each firewall whose last run is too long ago; an unreachable one keeps its addresses. */
export async function refreshAddresses(context: NotifyContext & Pick<App, 'stop' | 'screen'>): Promise<void> {
  const { config, ledger } = context;
  for (const [firewall, settings] of Object.entries(config.firewalls)) {
    if (!(await ledger.beginAsking(firewall, refreshEveryMs))) continue;
    const status = await readFirewall(firewall, settings, context);
    if (status.kind === 'done') await recordAddresses(firewall, status.result, context);
  }
}

/** Records what a firewall reports of itself, and notifies of a change of its addresses. */
export async function recordAddresses(
  firewall: string,
  { addresses, interfaces, networks }: StatusResult,
  context: NotifyContext,
): Promise<void> {
  await context.ledger.recordFacts(firewall, { interfaces, networks });
  if (addresses === undefined) return;
  await context.ledger.recordAddresses(firewall, addresses);
  await notifyAddressChanges(context);
}

/** Queues a message for each change of a firewall's addresses that was not reported yet. */
export async function notifyAddressChanges(context: NotifyContext): Promise<void> {
  const { ledger, warn } = context;
  const changes = (await ledger.findAddressChanges()).filter(({ isTold }) => !isTold);
  for (const change of changes) {
    const { firewall } = change;
    warn(describeChange(change));
    const event = { kind: 'addresses', at: await ledger.now(), host: context.host, firewall, change } as const;
    await notify([event], context, (messages) => ledger.markAddressChangeSent(firewall, messages));
  }
}
