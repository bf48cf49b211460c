import { hostname } from 'node:os';
import type { StatusResult } from '../platforms/ansible/events.js';
import type { Config } from '../config/schema.js';
import { askFirewall } from '../dispatch/read-status.js';
import type { Parts } from '../dispatch/drain-firewall.js';
import type { Ledger } from '../ledger/ledger.js';
import type { NewMessage } from '../ledger/messages.js';
import { describeChange } from '../core/address-change.js';
import { toMessage } from './mail/compose.js';
import { forWebhook, isTold } from './channels.js';

interface Setting {
  config: Config;
  ledger: Ledger;
  tell: (message: string) => void;
}

/** What was learned is asked for again after this: a refused alarm starts no run that could correct it. */
const askEveryMs = 3_600_000;

/** Asks each firewall for its addresses whose last run is too long ago. One that is away keeps what is known of it. */
export async function refreshAddresses(setting: Setting & Pick<Parts, 'stop' | 'watch'>): Promise<void> {
  const { config, ledger } = setting;
  for (const [firewall, settings] of Object.entries(config.firewalls)) {
    if (!(await ledger.beginAsking(firewall, askEveryMs))) continue;
    const verdict = await askFirewall(firewall, settings, setting);
    if (verdict.kind === 'done') await noteAddresses(firewall, verdict.result, setting);
  }
}

/** Keeps what a firewall tells of itself, and has it told where that is other than before. */
export async function noteAddresses(firewall: string, { addresses }: StatusResult, setting: Setting): Promise<void> {
  if (addresses === undefined) return;
  await setting.ledger.recordAddresses(firewall, addresses);
  await tellAddresses(setting);
}

/** Puts a message into the outbox for each firewall whose addresses changed and nobody was told. */
export async function tellAddresses({ config, ledger, tell }: Setting): Promise<void> {
  for (const change of await ledger.findAddressChanges()) {
    if (change.isTold) continue;
    const sentence = describeChange(change);
    tell(sentence);
    const messages: NewMessage[] = [];
    if (isTold('drift', config)) {
      const [{ renderAddressesMail }, { addressesEvent }] = await Promise.all([
        import('./mail/addresses-mail.js'),
        import('./webhook/webhook-event.js'),
      ]);
      const where = { host: hostname(), firewall: change.firewall, now: await ledger.now() };
      if (config.mail?.on.includes('drift') === true)
        messages.push(await toMessage('drift', { config, tell }, (style) => renderAddressesMail(change, style)));
      messages.push(...forWebhook(config, () => addressesEvent(where, change.at, sentence)));
    }
    await ledger.markAddressChangeSent(change.firewall, messages);
  }
}
