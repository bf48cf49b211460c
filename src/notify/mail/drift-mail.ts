import { maxListed, type DriftEvent } from '../../core/event.js';
import { formatLocal } from '../../core/local-time.js';
import { describeDrift } from '../../views/drift-view.js';
import { count } from '../wording.js';
import { renderMail, type Mail, type MailFacts } from './mail-template.js';
import { fitSubject } from './mail-words.js';

/** Says how the firewall differs from the ledger. */
export function renderDriftMail(event: DriftEvent, templatesDir?: string): Mail {
  const { host, firewall, drift, isFixed, beganAt } = event;
  const differences = count(drift.length, 'difference');
  const facts = {
    host,
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
    drift: drift.slice(0, maxListed).map(describeDrift),
    more: Math.max(0, drift.length - maxListed),
    next: isFixed
      ? ['firebreak reconcile --fix was called, and mends what it can.']
      : ['Nothing is changed until somebody says so.'],
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('drift', facts, templatesDir);
}
