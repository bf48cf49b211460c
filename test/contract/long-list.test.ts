import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { importList } from '#firebreak/app/import.js';
import { parseListFile } from '#firebreak/intake/list-file.js';
import { openLedger } from '#firebreak/ledger/index.js';
import type { Ledger } from '#firebreak/ledger/ledger.js';
import type { App } from '#firebreak/runtime/app.js';
import { aConfig } from '../fixtures.js';

describe('the import of a long list', function () {
  this.timeout(60_000);
  const config = aConfig({ policy: { limits: { active: 1_000_000 } } });
  const text = Array.from({ length: 800 }, (_, at) => `203.0.${100 + (at >> 8)}.${at & 255}`).join('\n');
  let folder: string;
  let ledger: Ledger;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'import-'));
    ledger = await openLedger({ file: path.join(folder, 'ledger.db') });
    await ledger.freeze('a test', 'a test'); // nothing is applied
  });

  afterEach(async () => {
    await ledger.close();
    rmSync(folder, { recursive: true });
  });

  const importAll = (onRecorded: (transactions: number[]) => void, changes: { listsBlocks?: boolean } = {}) => {
    const transactions: number[] = [];
    const recordAlarms: Ledger['recordAlarms'] = async (alarms, options) => {
      const recorded = await ledger.recordAlarms(alarms, options);
      transactions.push(alarms.length);
      onRecorded(transactions);
      return recorded;
    };
    const app = {
      ...{ config, ledger: { ...ledger, recordAlarms }, actor: 'a test', host: 'siem', warn: () => undefined },
      openLog: () => expect.fail('no log is configured'),
    } as unknown as App; // no run begins, so it needs nothing else
    const options = { defaults: { destination: '192.168.1.10', port: '22' }, firewalls: [], wait: false };
    return importList(parseListFile(text), { ...options, skipBad: false, listsBlocks: false, ...changes }, app);
  };

  it('takes a few hundred entries a transaction', async () => {
    let last: number[] = [];
    const { entries, blocks, summary } = await importAll((transactions) => (last = transactions));
    expect(last).to.deep.equal([250, 250, 250, 50]);
    expect({ entries, blocks: blocks.length, new: summary.new }).to.deep.equal({
      entries: 800,
      blocks: 800,
      new: 800,
    });
    expect(new Set(blocks).size).to.equal(1); // one stands for all of its kind
    expect(await ledger.countBlocks({ states: ['pending'] })).to.equal(800);
  });

  it('lists each block if asked to', async () => {
    const { blocks } = await importAll(() => undefined, { listsBlocks: true });
    expect(new Set(blocks.map(({ id }) => id)).size).to.equal(800);
  });
});
