import { describeCause } from '../../platforms/causes.js';
import { formatSpan } from '../../core/duration.js';
import type { RecoveryEvent } from '../../core/event.js';
import { formatWithUtc } from '../../core/local-time.js';
import { count } from '../../views/count.js';
import { describeFailing, describeRecovery } from '../wording.js';
import { renderMail, type Mail, type MailFacts } from './mail-template.js';
import { fitSubject } from './subject.js';

/** Reports that a failure is over, and whether anything still fails. */
export function renderRecoveryMail(event: RecoveryEvent, templatesDir?: string): Mail {
  const { host, firewall, resolved, failing, active, at } = event;
  const lasted = formatSpan(at - Math.min(...resolved.map(({ beganAt }) => beganAt)));
  const change = describeRecovery(failing.length, lasted);
  const facts = {
    host,
    subject: fitSubject(`[firebreak] ${firewall}: ${change}`, `[firebreak] ${firewall.slice(0, 20)}~: ${change}`),
    headline: `${firewall}: ${failing.length === 0 ? 'recovered' : 'partly recovered'} after ${lasted}`,
    lead: failing.length === 0 ? 'No block is failing there.' : `For another reason: ${describeFailing(failing, at)}.`,
    tone: failing.length === 0 ? 'good' : 'warn',
    actions: [{ what: 'list current blocks', command: `firebreak list --firewall ${firewall}` }],
    over: resolved.map(({ cause, beganAt }) => ({
      cause: describeCause(cause),
      since: formatWithUtc(beganAt),
      lasted: formatSpan(at - beganAt),
    })),
    next: [
      `${count(active, 'block')} in force and proven there.`,
      ...(failing.length === 0 ? ['No action is needed.'] : ['Firebreak retries failing blocks automatically.']),
    ],
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('recovery', facts, templatesDir);
}
