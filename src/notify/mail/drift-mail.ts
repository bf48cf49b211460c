import { maxListed, type DriftEvent } from '../../core/event.js';
import { formatWithUtc } from '../../core/local-time.js';
import { describeDrift, sourcesOf } from '../../views/drift-view.js';
import { count } from '../../views/count.js';
import { renderMail, type Mail, type MailFacts } from './mail-template.js';
import { fitSubject } from './subject.js';

/** Describes how the firewall differs from the ledger. */
export function renderDriftMail(event: DriftEvent, templatesDir?: string): Mail {
  const { host, firewall, drift, isFixed, beganAt } = event;
  const differences = count(drift.length, 'difference');
  const sources = sourcesOf(drift);
  const facts = {
    host,
    subject: fitSubject(
      ...(sources.length === 0
        ? []
        : [
            `[firebreak] DRIFT: ${firewall}: ${differences} from the ledger: ${sources.join(', ')}`,
            `[firebreak] DRIFT: ${firewall}: ${differences}: ${sources[0]} and ${sources.length - 1} more`,
          ]),
      `[firebreak] DRIFT: ${firewall}: ${differences} from the ledger`,
      `[firebreak] DRIFT: ${firewall.slice(0, 30)}~: ${differences} from the ledger`,
    ),
    headline: `${firewall}: ${differences} from the ledger`,
    lead: `The rules on ${firewall} have differed from the ledger since ${formatWithUtc(beganAt)} or earlier.`,
    tone: 'warn',
    actions: isFixed
      ? [{ what: 'check whether they agree now', command: `firebreak reconcile --firewall ${firewall}` }]
      : [
          { what: 'check again', command: `firebreak reconcile --firewall ${firewall}` },
          { what: 'make the firewall match the ledger', command: `firebreak reconcile --fix --firewall ${firewall}` },
        ],
    drift: drift.slice(0, maxListed).map(describeDrift),
    more: Math.max(0, drift.length - maxListed),
    next: isFixed
      ? ['Firebreak is repairing what it can.']
      : ['Firebreak changes nothing until you run firebreak reconcile --fix.'],
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('drift', facts, templatesDir);
}
