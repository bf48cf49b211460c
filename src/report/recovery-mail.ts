import { formatSpan } from '../core/duration.js';
import type { Incident } from '../core/incident.js';
import type { FailureMail } from './mail.js';

export interface Recovery {
  firewall: string;
  over: readonly Incident[];
  /** Blocks that still fail, for another cause. */
  left: number;
  now: number;
}

/** Says that what was told before is over, and whether anything is left. */
export function renderRecoveryMail({ firewall, over, left, now }: Recovery): FailureMail {
  const since = Math.min(...over.map(({ beganAt }) => beganAt));
  const rest = left === 0 ? 'all is as it is wanted' : `${left} still fail for another cause`;
  const lines = over.map(
    ({ cause, beganAt }) => `  ${cause}  since ${new Date(beganAt).toISOString()}, for ${formatSpan(now - beganAt)}`,
  );
  const end = left === 0 ? 'Nothing fails there any more.' : `What still fails: firebreak list --firewall ${firewall}`;
  return {
    subject: `[firebreak] ${firewall.slice(0, 20)}: over after ${formatSpan(now - since)}: ${rest}`.slice(0, 78),
    text: [`This is over on ${firewall}:`, '', ...lines, '', end, ''].join('\n'),
  };
}
