import { ulid } from 'ulid';
import type { Config } from '../config/schema.js';
import type { Drift } from '../core/drift.js';
import { causeOf, driftCause, findCauses, findNews } from '../core/incident.js';
import type { Ledger, NewMessage } from '../ledger/ledger.js';

interface Setting {
  firewall: string;
  config: Config;
  ledger: Ledger;
}

/**
 * Looks what fails on a firewall after a run, and puts a mail into the outbox for what is new, lasts, or is over.
 * It looks at what stands in the ledger, so that a launcher that died before it told leaves that to the next one.
 * @param hasFailed whether the run brought something not to where it is wanted
 * @param record the folder that tells the run's whole story
 */
export async function tellFailures(
  { firewall, config, ledger }: Setting,
  { hasFailed, record }: { hasFailed: boolean; record: string },
): Promise<void> {
  const { mail } = config;
  if (mail === undefined) return;
  const incidents = (await ledger.findIncidents(firewall)).filter(({ cause }) => cause !== driftCause);
  if (!hasFailed && incidents.length === 0) return;
  const open = await ledger.findBlocks({ firewalls: [firewall], states: ['pending', 'releasing', 'failed'] });
  const failing = open.filter(({ trouble }) => trouble !== null);
  const news = findNews(ledger.now(), findCauses(failing), incidents);
  const messages: NewMessage[] = [];
  if (news.told.length > 0 && mail.on.includes('failure')) {
    const { renderFailureMail } = await import('../report/mail.js');
    const causes = new Set(news.told.map(({ cause }) => cause));
    const about = failing.filter((block) => causes.has(causeOf(block)));
    messages.push({ id: ulid(), kind: 'failure', content: { ...renderFailureMail(about, record) } });
  }
  if (news.over.length > 0 && mail.on.includes('recovery')) {
    const { renderRecoveryMail } = await import('../report/recovery-mail.js');
    const content = renderRecoveryMail({ firewall, over: news.over, left: failing.length, now: ledger.now() });
    messages.push({ id: ulid(), kind: 'recovery', content: { ...content } });
  }
  if (news.told.length + news.over.length > 0) await ledger.tellIncidents(firewall, news, messages);
}

/** The same for what `reconcile` found on a firewall. */
export async function tellDrift(
  { firewall, config, ledger }: Setting,
  drift: readonly Drift[],
  isFixed: boolean,
): Promise<void> {
  const { mail } = config;
  if (mail === undefined) return;
  const incidents = (await ledger.findIncidents(firewall)).filter(({ cause }) => cause === driftCause);
  const now = ledger.now();
  const causes = new Map(drift.length > 0 ? [[driftCause, { beganAt: now }]] : []);
  const news = findNews(now, causes, incidents);
  const messages: NewMessage[] = [];
  if (news.told.length > 0 && mail.on.includes('drift')) {
    const { renderDriftMail } = await import('../report/drift-mail.js');
    messages.push({ id: ulid(), kind: 'drift', content: { ...renderDriftMail(firewall, drift, isFixed) } });
  }
  if (news.told.length + news.over.length > 0) await ledger.tellIncidents(firewall, news, messages);
}
