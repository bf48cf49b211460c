import { describeChange } from '../../core/address-change.js';
import { maxListed, type AddressesEvent } from '../../core/event.js';
import { renderMail, type Mail, type MailFacts } from './mail-template.js';
import { fitSubject } from './mail-words.js';

/** Says that a firewall reports other addresses of its own than before: these cannot be blocked on it. */
export function renderAddressesMail({ host, firewall, change }: AddressesEvent, templatesDir?: string): Mail {
  const { added, removed } = change;
  const lines = [...added.map((address) => `new: ${address}`), ...removed.map((address) => `gone: ${address}`)];
  const facts = {
    host,
    subject: fitSubject(
      `[firebreak] DRIFT: ${firewall} tells other addresses of its own`,
      `[firebreak] DRIFT: ${firewall.slice(0, 30)}~ tells other addresses of its own`,
    ),
    headline: `${firewall} tells other addresses of its own`,
    lead: `${describeChange(change)}.`,
    tone: 'warn',
    actions: [
      { what: 'see what an address is taken for', command: `firebreak check ${added[0] ?? removed[0] ?? 'ADDRESS'}` },
      { what: 'have the firewall asked once more', command: `firebreak reconcile --firewall ${firewall}` },
    ],
    drift: lines.slice(0, maxListed),
    more: Math.max(0, lines.length - maxListed),
    next: [
      `What ${firewall} tells of itself is not blocked on ${firewall}, and is on every other firewall.`,
      'Where nobody changed its addresses, find out who is on it.',
    ],
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('drift', facts, templatesDir);
}
