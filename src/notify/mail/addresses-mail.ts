import { describeChange } from '../../core/address-change.js';
import { maxListed, type AddressesEvent } from '../../core/event.js';
import { renderMail, type Mail, type MailFacts } from './mail-template.js';
import { fitSubject } from './subject.js';

/** Reports that a firewall's own addresses changed. Firebreak does not block them on that firewall. */
export function renderAddressesMail({ host, firewall, change }: AddressesEvent, templatesDir?: string): Mail {
  const { added, removed } = change;
  const lines = [...added.map((address) => `new: ${address}`), ...removed.map((address) => `gone: ${address}`)];
  const facts = {
    host,
    subject: fitSubject(
      `[firebreak] DRIFT: ${firewall}: addresses changed`,
      `[firebreak] DRIFT: ${firewall.slice(0, 30)}~: addresses changed`,
    ),
    headline: `${firewall}: addresses changed`,
    lead: `${describeChange(change)}.`,
    tone: 'warn',
    actions: [
      {
        what: 'check whether an address is protected',
        command: `firebreak check ${added[0] ?? removed[0] ?? 'ADDRESS'}`,
      },
      { what: 'query the firewall again', command: `firebreak reconcile --firewall ${firewall}` },
    ],
    drift: lines.slice(0, maxListed),
    more: Math.max(0, lines.length - maxListed),
    next: [
      `Firebreak does not block the addresses of ${firewall} on ${firewall} itself, but does on other firewalls.`,
      'If the change is unexpected, find out who has access to the firewall.',
    ],
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('drift', facts, templatesDir);
}
