import type { AddressChange } from '../../core/policy.js';
import { describeChange } from '../../core/address-change.js';
import { renderMail, type Mail, type MailFacts, type MailSetting } from './mail-template.js';
import { fitSubject } from './mail-words.js';

/** Says that a firewall has other addresses of its own than before: nobody can have these blocked on it. */
export function renderAddressesMail(change: AddressChange, setting: MailSetting): Mail {
  const { firewall, added, removed } = change;
  const facts = {
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
    drift: [...added.map((address) => `new: ${address}`), ...removed.map((address) => `gone: ${address}`)].slice(0, 20),
    more: Math.max(0, added.length + removed.length - 20),
    next: [
      `What ${firewall} tells of itself is not blocked on ${firewall}, and is on every other firewall.`,
      'Where nobody changed its addresses, find out who is on it.',
    ],
  } satisfies MailFacts & Record<string, unknown>;
  return renderMail('drift', facts, setting);
}
