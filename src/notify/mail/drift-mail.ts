import type { Drift } from '../../core/drift.js';
import { describeDrift } from '../../views/drift-view.js';
import { formatLocal } from '../../core/local-time.js';
import { renderMail, type Mail, type MailFacts, type MailSetting } from './mail-template.js';
import { count, fitSubject } from './mail-words.js';

/** More than these are counted, not listed. */
const mostListed = 20;

export interface DriftFound {
  firewall: string;
  drift: readonly Drift[];
  /** Whether it is being mended at the same time. */
  isFixed: boolean;
  /** When it was met first. */
  beganAt: number;
}

/** Says what was found on the firewall that is not as the ledger says. */
export function renderDriftMail({ firewall, drift, isFixed, beganAt }: DriftFound, setting: MailSetting): Mail {
  const differences = count(drift.length, 'difference');
  const facts = {
    subject: fitSubject(
      `[firebreak] DRIFT: ${firewall}: ${differences} to the ledger`,
      `[firebreak] DRIFT: ${firewall.slice(0, 30)}~: ${differences} to the ledger`,
    ),
    headline: `${firewall}: ${differences} to the ledger`,
    lead: `The rules on ${firewall} are not as the ledger says, since ${formatLocal(beganAt)} or before.`,
    tone: 'warn',
    actions: isFixed
      ? [{ what: 'see whether all agrees now', command: `firebreak reconcile --firewall ${firewall}` }]
      : [
          { what: 'look again', command: `firebreak reconcile --firewall ${firewall}` },
          { what: 'have the firewall agree again', command: `firebreak reconcile --fix --firewall ${firewall}` },
        ],
    drift: drift.slice(0, mostListed).map(describeDrift),
    more: Math.max(0, drift.length - mostListed),
    next: isFixed
      ? ['firebreak reconcile --fix was called, and mends what it can.']
      : ['Nothing is changed until somebody says so.'],
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('drift', facts, setting);
}
