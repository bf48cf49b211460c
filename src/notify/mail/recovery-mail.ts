import { describeCause } from '../../platforms/causes.js';
import { formatSpan } from '../../core/duration.js';
import type { RecoveryEvent } from '../../core/event.js';
import { formatWithUtc } from '../../core/local-time.js';
import { count } from '../../views/count.js';
import { countBypassed, describeFailing, describeRecovery } from '../wording.js';
import { renderMail, type Mail, type MailFacts } from './mail-template.js';
import { fitSubject } from './subject.js';

/** Reports that a failure is over, and whether anything still fails. */
export function renderRecoveryMail(event: RecoveryEvent, templatesDir?: string): Mail {
  const { host, firewall, resolved, failing, bypassed, active, at } = event;
  const lasted = formatSpan(at - Math.min(...resolved.map(({ beganAt }) => beganAt)));
  const left = [
    ...(failing.length > 0 ? [describeFailing(failing, at)] : []),
    ...(bypassed > 0 ? [countBypassed(bypassed)] : []),
  ].join('; ');
  const change = describeRecovery(event, lasted);
  const facts = {
    host,
    subject: fitSubject(`[firebreak] ${firewall}: ${change}`, `[firebreak] ${firewall.slice(0, 20)}~: ${change}`),
    headline: `${firewall}: ${left === '' ? 'recovered' : 'partly recovered'} after ${lasted}`,
    lead: left === '' ? 'No block is failing there.' : `For another reason: ${left}.`,
    tone: left === '' ? 'good' : 'warn',
    actions: [{ what: 'list current blocks', command: `firebreak list --firewall ${firewall}` }],
    over: resolved.map(({ cause, beganAt }) => ({
      cause: describeCause(cause),
      since: formatWithUtc(beganAt),
      lasted: formatSpan(at - beganAt),
    })),
    next: [
      `${count(active, 'block')} in force there.`,
      ...(left === '' ? ['No action is needed.'] : []),
      ...(failing.length > 0 ? ['Firebreak retries failing blocks automatically.'] : []),
      ...(bypassed > 0 ? ['A bypassed block needs a change on the firewall: its rule is already in place.'] : []),
    ],
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('recovery', facts, templatesDir);
}
