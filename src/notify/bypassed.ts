import type { Block } from '../core/block.js';
import type { Event } from '../core/event.js';
import { diffIncidents, groupBypassed, isBypassCause, type OpenIncident } from '../core/incident.js';
import { bypassLevels } from '../core/proof.js';
import { findListedAlarms } from './alarms.js';
import type { NotifyContext } from './channel.js';
import { reportIncidents, toRecovery } from './incidents.js';
import { openChannels } from './index.js';

/**
 * Compares the rules on a firewall that stand but do not stop their packets with those reported, and queues messages
 * for new, lasting and resolved ones.
 * @param hasBypassed false if the last run found none, so that there may be something to resolve only
 */
export async function notifyBypassed(
  { firewall, hasBypassed }: { firewall: string; hasBypassed: boolean },
  context: NotifyContext,
): Promise<void> {
  const { ledger } = context;
  if (openChannels(context).length === 0) return;
  const incidents = (await ledger.findIncidents(firewall)).filter(({ cause }) => isBypassCause(cause));
  if (!hasBypassed && incidents.length === 0) return;
  // Among them may be a block that a run failed to prove again: the firewall did not answer otherwise since.
  const blocks = await ledger.findBlocks({ firewalls: [firewall], proofs: bypassLevels });
  const changes = diffIncidents(await ledger.now(), groupBypassed(blocks), incidents);
  const { due, resolved } = changes;
  const events: Event[] = [];
  if (due.length > 0) events.push(await toBypassed({ firewall, due, blocks }, context));
  if (resolved.length > 0) events.push(await toRecovery({ firewall, resolved }, context));
  await reportIncidents(firewall, { changes, events }, context);
}

interface BypassedFacts {
  firewall: string;
  due: readonly OpenIncident[];
  blocks: readonly Block[];
}

async function toBypassed({ firewall, due, blocks }: BypassedFacts, { ledger, host }: NotifyContext): Promise<Event> {
  const affected = blocks.filter(({ proof }) => due.some(({ cause }) => cause === proof));
  const alarms = await findListedAlarms(affected, ledger);
  return { kind: 'bypassed', at: await ledger.now(), host, firewall, causes: due, blocks: affected, alarms };
}
