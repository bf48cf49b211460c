import { findDigestDay, type DigestDay } from '../core/digest-day.js';
import type { DigestEvent, FirewallDigest } from '../core/event.js';
import { driftCause } from '../core/incident.js';
import { bypassLevels } from '../core/proof.js';
import type { Ledger } from '../ledger/ledger.js';
import { findListedAlarms } from './alarms.js';
import type { NotifyContext } from './channel.js';
import { openChannels } from './index.js';
import { toMessage } from './notify.js';

/** Queues the digest of the last complete day, once for all processes. */
export async function queueDigests(context: NotifyContext): Promise<void> {
  const { ledger, host } = context;
  for (const channel of openChannels(context)) {
    if (channel.digest === undefined || !channel.accepts('digest')) continue;
    const { at, idPrefix } = channel.digest;
    const day = findDigestDay(await ledger.now(), at);
    if ((await ledger.findBeginning()) > day.from) continue; // the first full day has not ended
    // It becomes the Message-ID, and two hosts may write to the same recipients.
    const id = `${idPrefix}-${day.name}-${host.replace(/[^A-Za-z0-9.-]/g, '-')}`;
    if (await ledger.hasMessage(id)) continue;
    await ledger.queueMessage(await toMessage(await findDigest(day, context), channel, id));
  }
}

async function findDigest(day: DigestDay, { config, ledger, host }: NotifyContext): Promise<DigestEvent> {
  const recent = await ledger.findBlocks({ updatedSince: day.from });
  const unsettled = await ledger.findBlocks({ states: ['held', 'pending', 'releasing', 'failed'] });
  const bypassed = await ledger.findBlocks({ states: ['active'], proofs: bypassLevels });
  const open = [...unsettled.filter(({ state, failure }) => state === 'held' || failure !== null), ...bypassed];
  const firewalls = await Promise.all(Object.keys(config.firewalls).map((name) => findFirewall(name, ledger)));
  const alarms = await findListedAlarms(open, ledger);
  const audit = (await ledger.findAuditHead()) ?? null;
  return { kind: 'digest', at: await ledger.now(), host, day, recent, open, alarms, firewalls, audit };
}

async function findFirewall(name: string, ledger: Ledger): Promise<FirewallDigest> {
  const active = await ledger.countBlocks({ firewalls: [name], states: ['active'] });
  const drift = (await ledger.findIncidents(name)).find(({ cause }) => cause === driftCause);
  return { name, active, driftSince: drift?.beganAt ?? null };
}
