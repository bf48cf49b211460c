import path from 'node:path';
import { expect } from 'chai';
import type { BlockResult } from '#firebreak/core/lifecycle.js';
import { openLedger } from '#firebreak/ledger/index.js';
import { aFlow } from '../fixtures.js';
import { makeLauncher, waitUntil, type Launcher } from '../lab/launcher.js';

const settled: BlockResult = { kind: 'settled', changed: true };
const away: BlockResult = { kind: 'failed', failure: 'unreachable', code: 'unreachable', reason: 'no route to host' };

describe('firebreak status and log', function () {
  this.timeout(60_000);
  let launcher: Launcher;

  // No run is started.
  beforeEach(() => {
    launcher = makeLauncher({ edge: { host: '127.0.0.1', port: 9 }, dmz: { host: '127.0.0.1', port: 9 } });
  });
  afterEach(() => launcher.remove());

  const say = async (...words: string[]): Promise<string> => {
    const { exit, stdout, stderr } = await launcher.firebreak(words);
    expect({ exit, stderr }).to.deep.equal({ exit: 0, stderr: '' });
    return stdout;
  };

  /** One alarm on each of these firewalls, and the result of its run. */
  async function happen(source: string, results: Readonly<Record<string, BlockResult>>): Promise<void> {
    const ledger = await openLedger({ file: path.join(launcher.stateDir, 'ledger.db') });
    for (const [firewall, result] of Object.entries(results)) {
      const block = { firewall, flow: aFlow({ source }), description: 'a test', durationMs: null };
      const alarm = { id: `${source} ${firewall}`, origin: 'a test', context: {}, blocks: [block] };
      await ledger.recordAlarms([alarm], { recheckMs: 0 });
      const lease = (await ledger.acquireLease(firewall, 'a test'))!;
      const claimed = await ledger.claimBatch(lease, `${source} on ${firewall}`, 10);
      const resultOf = () => result;
      await ledger.settleBatch(lease, {
        id: `${source} on ${firewall}`,
        ms: 7,
        claimed,
        resultOf,
        giveUpMs: 3_600_000,
      });
      await ledger.releaseLease(lease, true);
    }
    await ledger.close();
  }

  it('shows a firewall that nothing has happened on', async () => {
    expect(await say('status'))
      .to.match(/^dmz {2,}ok {2,}0 {2,}0 {2,}0 {2,}never {2,}never$/m)
      .and.match(/^last alarm {3}never$/m)
      .and.match(/^last expire {2}never: nothing runs firebreak expire/m)
      .and.match(/^messages {5}none waits to be sent$/m);
  });

  it('shows what fails, what waits, and when expiry last ran, within 80 columns', async () => {
    await happen('203.0.113.7', { edge: settled, dmz: away });
    await launcher.firebreak(['expire']);
    const ledger = await openLedger({ file: path.join(launcher.stateDir, 'ledger.db') });
    const due = [{ cause: 'drift', beganAt: await ledger.now() }];
    await ledger.recordIncidents('edge', { due, resolved: [] }, []);
    await ledger.close();
    await launcher.firebreak(['freeze', 'maintenance']);
    const text = await say('status');
    expect(text)
      .to.match(/^FROZEN since \d\d:\d\d by .* \(maintenance\): nothing changes on any firewall$/m)
      .and.match(/^edge {2,}drift since \d\d:\d\d {2,}1 {2,}0 {2,}0 {2,}\d+s ago {2,}\d+s ago$/m)
      .and.match(/^dmz {2,}unreachable since \d\d:\d\d {2,}0 {2,}1 {2,}0/m)
      .and.match(/^last expire {2}\d+s ago$/m);
    const [, ...table] = text.split('\n');
    expect(table.filter((line) => line.length > 80)).to.deep.equal([]);
    const { firewalls, frozen } = JSON.parse(await say('status', '--json')) as {
      firewalls: { name: string; active: number; incidents: { cause: string }[]; last_run: { ms: number } }[];
      frozen: { reason: string };
    };
    expect(frozen.reason).to.equal('maintenance');
    expect(firewalls.map(({ name, active }) => [name, active])).to.deep.equal([
      ['edge', 1],
      ['dmz', 0],
    ]);
    expect(firewalls[1]!.incidents.map(({ cause }) => cause)).to.deep.equal(['unreachable']);
  });

  it('logs what happened, one line each, oldest first', async () => {
    expect(await say('log')).to.equal('nothing happened\n');
    await happen('203.0.113.7', { edge: settled });
    await happen('203.0.113.8', { dmz: away });
    const [first, second, ...more] = (await say('log')).trimEnd().split('\n');
    expect(more).to.deep.equal([]);
    const time = String.raw`\d\d-\d\d \d\d:\d\d:\d\d`;
    expect(first).to.match(
      new RegExp(`^${time} blocked  203\\.0\\.113\\.7 -> 192\\.168\\.1\\.10 tcp/22 on edge \\w+ after `),
    );
    expect(second).to.match(new RegExp(`^${time} FAILED   203\\.0\\.113\\.8 -> .* on dmz \\w+ no route to host$`));
    expect(await say('log', '--source', '203.0.113.8')).to.equal(`${second}\n`);
    expect(await say('log', '--firewall', 'edge')).to.equal(`${first}\n`);
    const { outcomes } = JSON.parse(await say('log', '--json')) as {
      outcomes: { outcome: string; code: string | null }[];
    };
    expect(outcomes.map(({ outcome, code }) => [outcome, code])).to.deep.equal([
      ['proven', null],
      ['failed', 'unreachable'],
    ]);
  });

  it('follows the log until it is stopped', async () => {
    await happen('203.0.113.7', { edge: settled });
    const { child, ended } = launcher.start(['log', '--follow']);
    let printed = '';
    child.stdout?.on('data', (text: string) => (printed += text));
    await waitUntil('the first line', () => printed.includes('203.0.113.7'));
    await happen('203.0.113.9', { edge: settled });
    await waitUntil('the second line', () => printed.includes('203.0.113.9'));
    child.kill('SIGINT');
    const { exit, stdout, stderr } = await ended;
    expect({ exit, stderr, lines: stdout.split('\n').length }).to.deep.equal({ exit: 0, stderr: '', lines: 3 });
  });

  it('lists what is sorted, searched for and limited', async () => {
    await happen('203.0.113.9', { edge: settled });
    await happen('203.0.113.10', { dmz: away, edge: settled });
    const sources = async (...words: string[]): Promise<string[]> => {
      const { blocks } = JSON.parse(await say('list', '--json', ...words)) as {
        blocks: { source: string; firewall: string }[];
      };
      return blocks.map(({ source, firewall }) => `${source.slice(10)} ${firewall}`);
    };
    expect(await sources('--sort', 'source')).to.deep.equal(['9 edge', '10 dmz', '10 edge']);
    expect(await sources('--sort', 'firewall', '--limit', '1')).to.deep.equal(['10 dmz']);
    expect(await sources('--limit', '2')).to.deep.equal(['10 dmz', '10 edge']);
    expect(await sources('--search', 'NO ROUTE')).to.deep.equal(['10 dmz']);
    expect(await sources('--since', '1h', '--search', '113.9')).to.deep.equal(['9 edge']);
    for (const wrong of [
      ['--sort', 'colour'],
      ['--limit', '0'],
      ['--since', 'monday'],
    ]) {
      const { exit, stderr } = await launcher.firebreak(['list', ...wrong]);
      expect({ wrong, exit, stderr }).to.deep.include({ wrong, exit: 2 });
      expect(stderr).to.include(`${wrong[0]}: expected `);
    }
  });

  it('colours the list only if asked', async () => {
    await happen('203.0.113.9', { edge: settled });
    const { stdout } = await launcher.firebreak(['list'], { env: { FORCE_COLOR: '1' } });
    expect(stdout).to.include('\u001b[32mactive\u001b[0m ');
    expect(await say('list')).to.not.include('\u001b');
  });

  it('refuses to follow as one JSON document', async () => {
    const { exit, stdout } = await launcher.firebreak(['log', '--follow', '--json']);
    expect(exit).to.equal(2);
    expect(stdout).to.contain('--follow: has no end, so it cannot print one JSON document');
  });
});
