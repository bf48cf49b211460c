import { formatSpan } from '../../core/duration.js';
import type { Incident } from '../../core/incident.js';
import { nameCause } from './failure-mail.js';
import { formatLocal } from '../../core/local-time.js';
import { renderMail, type Mail, type MailFacts, type MailSetting } from './mail-template.js';
import { count, fitSubject } from './mail-words.js';

export interface Recovery {
  firewall: string;
  over: readonly Incident[];
  /** Blocks that still fail, for another cause. */
  left: number;
  /** Blocks that are in force and proven. */
  active: number;
  now: number;
}

/** Says that what was told before is over, and whether anything is left. */
export function renderRecoveryMail({ firewall, over, left, active, now }: Recovery, setting: MailSetting): Mail {
  const lasted = formatSpan(now - Math.min(...over.map(({ beganAt }) => beganAt)));
  const rest = left === 0 ? 'all is as it is wanted' : `${left} still fail for another cause`;
  const facts = {
    subject: fitSubject(
      `[firebreak] ${firewall}: over after ${lasted}: ${rest}`,
      `[firebreak] ${firewall.slice(0, 20)}~: over after ${lasted}: ${rest}`,
    ),
    headline: `${firewall}: ${left === 0 ? 'well again' : 'partly well again'} after ${lasted}`,
    lead:
      left === 0 ? 'Nothing fails there any more.' : `But ${count(left, 'block')} still fail there for another cause.`,
    tone: left === 0 ? 'good' : 'warn',
    actions: [{ what: 'see what stands', command: `firebreak list --firewall ${firewall}` }],
    over: over.map(({ cause, beganAt }) => ({
      cause: nameCause(cause),
      since: formatLocal(beganAt),
      lasted: formatSpan(now - beganAt),
    })),
    next: [
      `${count(active, 'block')} in force and proven there.`,
      ...(left === 0 ? ['There is nothing to do.'] : ['What still fails is tried again by itself.']),
    ],
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('recovery', facts, setting);
}
