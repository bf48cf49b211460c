import path from 'node:path';
import { expect } from 'chai';
import type { Flow } from '#firebreak/core/flow.js';
import { openLedger } from '#firebreak/ledger/index.js';
import { makeLauncher, type Launcher } from '../lab/launcher.js';

describe('firebreak report', function () {
  this.timeout(60_000);
  let launcher: Launcher;

  // No run is started.
  beforeEach(async () => {
    launcher = makeLauncher({ edge: { host: '127.0.0.1', port: 9 } });
    const ledger = await openLedger({ file: path.join(launcher.stateDir, 'ledger.db') });
    const flow: Flow = {
      type: 'block',
      interface: 'wan',
      ipprotocol: 'inet',
      protocol: 'tcp',
      source: '203.0.113.7',
      destination: '192.168.1.10',
      port: '22',
    };
    const block = { firewall: 'edge', flow, description: 'a test', durationMs: null };
    await ledger.recordAlarms([{ id: 'A1', origin: 'a test', context: {}, blocks: [block] }], { recheckMs: 0 });
    const lease = (await ledger.acquireLease('edge', 'a test'))!;
    const claimed = await ledger.claimBatch(lease, 'R1', 10);
    const resultOf = () => ({ kind: 'settled', changed: true }) as const;
    await ledger.settleBatch(lease, { id: 'R1', ms: 1, claimed, resultOf, giveUpMs: 1 });
    await ledger.releaseLease(lease, true);
    await ledger.close();
  });

  afterEach(() => launcher.remove());

  const report = async (...words: string[]): Promise<string> => {
    const { exit, stdout, stderr } = await launcher.firebreak(['report', ...words]);
    expect({ exit, stderr }).to.deep.equal({ exit: 0, stderr: '' });
    return stdout;
  };

  it('shows the last day as text by default', async () => {
    expect(await report())
      .to.match(/^1d up to /)
      .and.match(/^1 alarm\n {6}1 {2}proven {4}median /m)
      .and.match(/^ {5}1 {7}1 {2}203\.0\.113\.7$/m);
  });

  it('is one page of HTML', async () => {
    expect(await report('--format', 'html', '--since', '30d')).to.match(/^<!doctype html>\n[^]*<\/html>\n+$/);
  });

  it('is CSV with a line for each hour', async () => {
    const [heading, row, ...more] = (await report('--format', 'csv')).trimEnd().split('\n');
    expect(heading).to.equal('hour,proven,bypassed,failed,held,refused,released,observed');
    expect(row).to.match(/^\d{4}-\d\d-\d\dT\d\d:00:00\.000Z,1,0,0,0,0,0,0$/);
    expect(more).to.deep.equal([]);
  });

  it('is one JSON document with either option', async () => {
    for (const words of [['--json'], ['--format', 'json']]) {
      const document = JSON.parse(await report(...words, '--since', 'forever')) as object;
      expect(document).to.deep.include({ since: null, alarms: 1 });
      expect(document).to.have.nested.property('outcomes.proven', 1);
    }
  });

  for (const [words, sentence] of [
    [['--since', 'yesterday'], '--since: expected a duration such as 90m, 24h, 30d or forever, got "yesterday"'],
    [['--format', 'pdf'], '--format: expected text, html, csv, json, got "pdf"'],
  ] as const) {
    it(`refuses ${words.join(' ')}`, async () => {
      const { exit, stderr } = await launcher.firebreak(['report', ...words]);
      expect({ exit, stderr }).to.deep.equal({ exit: 2, stderr: `firebreak: ${sentence}\n` });
    });
  }
});
