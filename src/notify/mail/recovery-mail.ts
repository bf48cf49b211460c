import { describeCause } from '../../platforms/causes.js';
import { formatSpan } from '../../core/duration.js';
import type { RecoveryEvent } from '../../core/event.js';
import { formatLocal } from '../../core/local-time.js';
import { count } from '../wording.js';
import { renderMail, type Mail, type MailFacts } from './mail-template.js';
import { fitSubject } from './mail-words.js';

/** Says that what was reported before is over, and whether anything still fails. */
export function renderRecoveryMail(event: RecoveryEvent, templatesDir?: string): Mail {
  const { host, firewall, resolved, failing, active, at } = event;
  const lasted = formatSpan(at - Math.min(...resolved.map(({ beganAt }) => beganAt)));
  const rest = failing === 0 ? 'all is as it is wanted' : `${failing} still fail for another cause`;
  const facts = {
    host,
    subject: fitSubject(
      `[firebreak] ${firewall}: over after ${lasted}: ${rest}`,
      `[firebreak] ${firewall.slice(0, 20)}~: over after ${lasted}: ${rest}`,
    ),
    headline: `${firewall}: ${failing === 0 ? 'well again' : 'partly well again'} after ${lasted}`,
    lead:
      failing === 0
        ? 'Nothing fails there any more.'
        : `But ${count(failing, 'block')} still fail there for another cause.`,
    tone: failing === 0 ? 'good' : 'warn',
    actions: [{ what: 'see what stands', command: `firebreak list --firewall ${firewall}` }],
    over: resolved.map(({ cause, beganAt }) => ({
      cause: describeCause(cause),
      since: formatLocal(beganAt),
      lasted: formatSpan(at - beganAt),
    })),
    next: [
      `${count(active, 'block')} in force and proven there.`,
      ...(failing === 0 ? ['There is nothing to do.'] : ['What still fails is tried again by itself.']),
    ],
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('recovery', facts, templatesDir);
}
