import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { expect } from 'chai';
import { openLog } from '#firebreak/runtime/logger.js';
import type { Config } from '#firebreak/config/schema.js';
import type { Event } from '#firebreak/core/event.js';
import type { Ledger } from '#firebreak/ledger/ledger.js';
import { openLedger } from '#firebreak/ledger/index.js';
import type { Delivery, NotifyContext, OpenChannel, Stored } from '#firebreak/notify/channel.js';
import { sendDue } from '#firebreak/notify/deliver.js';
import { notifyDrift } from '#firebreak/notify/incidents.js';
import { notify } from '#firebreak/notify/notify.js';
import { aConfig } from '../../fixtures.js';
import { readMessages } from '../../lab/messages.js';

const testEvent: Event = { kind: 'test', at: 0, host: 'siem' };

describe('a channel that is only in the registry', () => {
  let folder: string;
  let ledger: Ledger;
  let config: Config;
  let warnings: string[];
  let sent: Stored[];
  let delivery: Delivery;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'channel-'));
    ledger = await openLedger({ file: path.join(folder, 'ledger.db') });
    config = aConfig();
    [warnings, sent, delivery] = [[], [], { kind: 'sent', rejected: [] }];
  });

  afterEach(async () => {
    await ledger.close();
    rmSync(folder, { recursive: true });
  });

  /** Accepts drift and tests. */
  const openPager: OpenChannel = () => ({
    name: 'pager',
    accepts: (kind) => kind === 'drift' || kind === 'test',
    compose: (event) => Promise.resolve({ page: `${event.kind} on ${'firewall' in event ? event.firewall : 'none'}` }),
    send: async (message, beforeSend) => {
      if (await beforeSend()) sent.push(message);
      return delivery;
    },
    describeTarget: () => Promise.resolve('the person on call'),
    digest: { at: '07:00', idPrefix: 'page' },
  });

  const context = (channels: Record<string, OpenChannel> = { pager: openPager }): NotifyContext => ({
    ...{ config, ledger, channels, host: 'siem' },
    warn: (message) => warnings.push(message),
    openLog: () => Promise.resolve(openLog(config.log, (message) => warnings.push(message))),
  });

  it('composes what it accepts, finds it in the outbox under its name, and sends it once', async () => {
    await notify([testEvent, { kind: 'recovery', at: 0, host: 'siem', firewall: 'edge', resolved: [], failing: [], bypassed: 0, active: 1 }], context()); // prettier-ignore
    const [stored, ...others] = readMessages(path.join(folder, 'ledger.db'));
    expect(others).to.deep.equal([]);
    expect(stored).to.deep.include({ kind: 'pager', content: { page: 'test on none' } });
    await sendDue(context());
    await sendDue(context());
    expect(sent.map(({ id, content }) => [id, content['page']])).to.deep.equal([[stored?.id, 'test on none']]);
    expect(readMessages(path.join(folder, 'ledger.db'))[0]?.sentAt).to.be.a('number');
    expect(warnings).to.deep.equal([]);
  });

  it('is notified once of an incident by the code that finds it', async () => {
    for (let times = 0; times < 2; times += 1)
      await notifyDrift(
        { firewall: 'edge', drift: [{ kind: 'only_in_pf', tracker: 1, flow: null }], isFixed: false },
        context(),
      );
    expect(readMessages(path.join(folder, 'ledger.db')).map(({ content }) => content['page'])).to.deep.equal([
      'drift on edge',
    ]);
  });

  it('retries a refused message, and names the recipient', async () => {
    delivery = { kind: 'refused', reason: 'busy', isUnreachable: true };
    await notify([testEvent, testEvent], context());
    await sendDue(context());
    expect(sent).to.have.length(1); // the second one is not tried on an unreachable server
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.match(/^pager not sent to the person on call: busy; will retry$/);
    expect(
      readMessages(path.join(folder, 'ledger.db')).map(({ tries, lastError }) => [tries, lastError]),
    ).to.deep.equal([
      [1, 'busy'],
      [1, 'busy'],
    ]);
  });

  it('keeps its messages if it is no longer configured', async () => {
    await notify([testEvent], context());
    const other: OpenChannel = () => ({ ...openPager(context())!, name: 'other' });
    await sendDue(context({ pager: () => undefined, other }));
    expect(sent).to.deep.equal([]);
    expect(warnings[0]).to.include('firebreak.yml no longer configures pager');
  });

  it('queues one digest a day, under an id with its prefix, if it accepts digests', async () => {
    const database = new DatabaseSync(path.join(folder, 'ledger.db'));
    database.exec("INSERT INTO chore (name, done_at) VALUES ('begin', 1)"); // long ago: the last day is a full one
    database.close();
    const digests: OpenChannel = (options) => ({ ...openPager(options)!, accepts: (kind) => kind === 'digest' });
    await sendDue(context({ pager: digests }));
    await sendDue(context({ pager: digests }));
    expect(sent.map(({ id }) => id)).to.have.length(1);
    expect(sent[0]?.id).to.match(/^page-\d{4}-\d\d-\d\d-/);
  });

  it('sends as a mail what release 0.1 stored under the kind of its event', async () => {
    const mail: OpenChannel = (options) => ({ ...openPager(options)!, name: 'mail' });
    await ledger.queueMessage({ id: 'M1', kind: 'failure', content: { subject: 'one', text: 'First.' } });
    await sendDue(context({ pager: openPager, mail }));
    expect(sent.map(({ id }) => id)).to.deep.equal(['M1']);
  });
});
