import { hostname } from 'node:os';
import type { Config } from '../config/schema.js';
import type { Block } from '../core/block.js';
import type { Drift } from '../core/drift.js';
import { causeOf, driftCause, findCauses, findNews } from '../core/incident.js';
import type { RunSummary } from '../core/outcome.js';
import type { Ledger } from '../ledger/ledger.js';
import type { NewMessage } from '../ledger/messages.js';
import type { Failure } from './mail/failure-mail.js';
import { findAlarmsOf, toMessage } from './mail/compose.js';
import { forWebhook, hasWay } from './channels.js';

interface Setting {
  firewall: string;
  config: Config;
  ledger: Ledger;
  tell: (message: string) => void;
}

/** What is known of the run besides what the ledger says. */
interface RunKnown extends Pick<Failure, 'record' | 'step'> {
  /** Whether it brought something not to where it is wanted. */
  hasFailed: boolean;
}

/**
 * Looks what fails on a firewall after a run, and puts a message into the outbox for what is new, lasts, or is over.
 * It looks at what stands in the ledger, so that a launcher that died before it told leaves that to the next one.
 */
export async function tellFailures(setting: Setting, { hasFailed, record, step }: RunKnown): Promise<void> {
  const { firewall, config, ledger } = setting;
  const { mail } = config;
  if (!hasWay(config)) return;
  const incidents = (await ledger.findIncidents(firewall)).filter(({ cause }) => cause !== driftCause);
  if (!hasFailed && incidents.length === 0) return;
  const open = await ledger.findBlocks({ firewalls: [firewall], states: ['pending', 'releasing', 'failed'] });
  const failing = open.filter(({ trouble }) => trouble !== null);
  const news = findNews(await ledger.now(), findCauses(failing), incidents);
  const messages: NewMessage[] = [];
  const causes = new Set(news.told.map(({ cause }) => cause));
  const about = failing.filter((block) => causes.has(causeOf(block)));
  if (news.told.length > 0 && mail?.on.includes('failure') === true) {
    const { renderFailureMail } = await import('./mail/failure-mail.js');
    const [alarms, giveUpMs] = [await findAlarmsOf(about, ledger), config.dispatch.give_up];
    const failure = { blocks: about, alarms, record, step, giveUpMs, now: await ledger.now() };
    messages.push(await toMessage('failure', setting, (style) => renderFailureMail(failure, style)));
  }
  if (news.over.length > 0 && mail?.on.includes('recovery') === true) {
    const { renderRecoveryMail } = await import('./mail/recovery-mail.js');
    const active = (await ledger.findBlocks({ firewalls: [firewall], states: ['active'] })).length;
    const recovery = { firewall, over: news.over, left: failing.length, active, now: await ledger.now() };
    messages.push(await toMessage('recovery', setting, (style) => renderRecoveryMail(recovery, style)));
  }
  if (news.told.length + news.over.length === 0) return;
  const { failureEvent, recoveryEvent } = await import('./webhook/webhook-event.js');
  const where = { host: hostname(), firewall, now: await ledger.now() };
  if (news.told.length > 0) messages.push(...forWebhook(config, () => failureEvent(where, news.told, about)));
  if (news.over.length > 0) messages.push(...forWebhook(config, () => recoveryEvent(where, news.over, failing.length)));
  await ledger.tellIncidents(firewall, news, messages);
}

/** Puts a mail into the outbox for what a run has changed and proven, where each success is asked for. */
export async function tellSuccess(setting: Setting, blocks: readonly Block[], run: RunSummary): Promise<void> {
  const { config, ledger } = setting;
  const proven = blocks.filter(({ changed, state }) => changed && (state === 'active' || state === 'released'));
  if (proven.length === 0 || config.mail?.on.includes('success') !== true) return;
  const { renderSuccessMail } = await import('./mail/success-mail.js');
  const success = { blocks: proven, alarms: await findAlarmsOf(proven, ledger), run, now: await ledger.now() };
  await ledger.queueMessage(await toMessage('success', setting, (style) => renderSuccessMail(success, style)));
}

/** Looks the same way at what `reconcile` found on a firewall. */
export async function tellDrift(setting: Setting, drift: readonly Drift[], isFixed: boolean): Promise<void> {
  const { firewall, config, ledger } = setting;
  const { mail } = config;
  if (!hasWay(config)) return;
  const incidents = (await ledger.findIncidents(firewall)).filter(({ cause }) => cause === driftCause);
  const now = await ledger.now();
  const causes = new Map(drift.length > 0 ? [[driftCause, { beganAt: now }]] : []);
  const news = findNews(now, causes, incidents);
  const messages: NewMessage[] = [];
  if (news.told.length > 0 && mail?.on.includes('drift') === true) {
    const { renderDriftMail } = await import('./mail/drift-mail.js');
    const beganAt = Math.min(...news.told.map((each) => each.beganAt));
    const found = { firewall, drift, isFixed, beganAt };
    messages.push(await toMessage('drift', setting, (style) => renderDriftMail(found, style)));
  }
  if (news.told.length + news.over.length === 0) return;
  if (news.told.length > 0) messages.push(...(await driftForWebhook(setting, drift, news.told)));
  await ledger.tellIncidents(firewall, news, messages);
}

async function driftForWebhook(
  { firewall, config, ledger }: Setting,
  drift: readonly Drift[],
  told: readonly { beganAt: number }[],
): Promise<NewMessage[]> {
  const [{ driftEvent }, { describeDrift }] = await Promise.all([
    import('./webhook/webhook-event.js'),
    import('../views/drift-view.js'),
  ]);
  const where = { host: hostname(), firewall, now: await ledger.now() };
  const beganAt = Math.min(...told.map((each) => each.beganAt));
  return forWebhook(config, () => driftEvent(where, beganAt, drift.map(describeDrift)));
}
