import type { Drift } from '../core/drift.js';
import { driftToText } from './drift.js';
import type { FailureMail } from './mail.js';

/** More than these are counted, not listed. */
const mostListed = 20;

/** Says what was found on the firewall that is not as the ledger says. */
export function renderDriftMail(firewall: string, drift: readonly Drift[], isFixed: boolean): FailureMail {
  const count = drift.length === 1 ? '1 difference' : `${drift.length} differences`;
  const listed = driftToText({ firewall, drift: drift.slice(0, mostListed), trouble: null, exit: 0 }, isFixed);
  const more = drift.length > mostListed ? `\n... and ${drift.length - mostListed} more: firebreak reconcile` : '';
  return {
    subject: `[firebreak] DRIFT: ${firewall.slice(0, 30)}: ${count} to the ledger`,
    text: `The rules on ${firewall} were not as the ledger says.\n\n${listed}${more}\n`,
  };
}
