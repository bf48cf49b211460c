import { hostname } from 'node:os';
import type { Config } from '../config/schema.js';
import { findDigestDay, type DigestDay } from '../core/digest-day.js';
import { driftCause } from '../core/incident.js';
import type { Ledger } from '../ledger/ledger.js';
import { mostOpen, renderDigestMail, type Digest, type FirewallDigest } from './mail/digest-mail.js';
import { findAlarmsOf, toMessage } from './mail/compose.js';

/** Puts the mail of the day that ended last into the outbox, once, whoever comes first and however many do. */
export async function queueDigest(config: Config, ledger: Ledger, tell: (message: string) => void): Promise<void> {
  if (config.mail === undefined) return;
  const day = findDigestDay(await ledger.now(), config.mail.digest_at);
  // The host is in it because it becomes the Message-ID: two hosts may write to the same people.
  const id = `digest-${day.name}-${hostname().replace(/[^A-Za-z0-9.-]/g, '-')}`;
  if (await ledger.hasMessage(id)) return;
  const digest = await findDigest(day, config, ledger);
  const message = await toMessage('digest', { config, tell }, (setting) => renderDigestMail(digest, setting));
  await ledger.queueMessage({ ...message, id });
}

async function findDigest(day: DigestDay, config: Config, ledger: Ledger): Promise<Digest> {
  const recent = await ledger.findBlocks({ updatedSince: day.from });
  const unsettled = await ledger.findBlocks({ states: ['held', 'pending', 'releasing', 'failed'] });
  const open = unsettled.filter(({ state, trouble }) => state === 'held' || trouble !== null);
  const names = Object.keys(config.firewalls);
  const firewalls = await Promise.all(names.map((name) => findFirewall(name, ledger)));
  const alarms = await findAlarmsOf(open.slice(0, mostOpen), ledger);
  const head = await ledger.findAuditHead();
  return { day, recent, open, alarms, firewalls, audit: head ?? null, now: await ledger.now() };
}

async function findFirewall(name: string, ledger: Ledger): Promise<FirewallDigest> {
  const active = (await ledger.findBlocks({ firewalls: [name], states: ['active'] })).length;
  const drift = (await ledger.findIncidents(name)).find(({ cause }) => cause === driftCause);
  return { name, active, driftSince: drift?.beganAt ?? null };
}
