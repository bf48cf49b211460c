import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { openLedger } from '#firebreak/ledger/index.js';
import { makeLauncher, type Answer, type Launcher } from '../lab/launcher.js';
import { aFlow, anAlarm } from '../fixtures.js';

/** A firewall that no run reaches: blocks that were never applied are released by the ledger alone. */
const nowhere = { host: '127.0.0.1', port: 1 };
const flow = ['203.0.113.7', '192.168.1.10', '22'];

describe('the allowlist and the grace time', function () {
  this.timeout(60_000);
  let launcher: Launcher;

  beforeEach(async () => {
    launcher = makeLauncher({ edge: nowhere });
    mkdirSync(launcher.stateDir, { recursive: true });
    const ledger = await openLedger({ file: path.join(launcher.stateDir, 'ledger.db') });
    try {
      await ledger.freeze('a test', 'a test');
      await ledger.recordAlarms([anAlarm('A', { flow: aFlow() })], { recheckMs: 0 });
    } finally {
      await ledger.close();
    }
  });

  afterEach(() => launcher.remove());

  const reasonOf = async (words: readonly string[]): Promise<string | null | undefined> => {
    const { exit, answer } = await launcher.json(['block', ...words]);
    expect(exit).to.equal(3);
    return answer.blocks[0]?.reason;
  };

  const allowed = async (): Promise<{ kind: string; address: string; until: string | null; reason: string }[]> => {
    const { stdout } = await launcher.firebreak(['allowed', '--json']);
    return (JSON.parse(stdout) as { allowed: [] }).allowed;
  };

  it('unblock --grace refuses the source for that time, whatever the flow, and records its alarms', async () => {
    expect((await launcher.json(['unblock', '203.0.113.7', '--grace', '4h'])).exit).to.equal(0);
    expect(await reasonOf(flow)).to.match(/^refused: 203\.0\.113\.7 was released with a grace time until /);
    expect(await reasonOf(['203.0.113.7', '192.168.1.11', '80'])).to.match(/grace time/);
    const { answer } = await launcher.json(['list', '--state', 'refused']);
    expect(answer.blocks).to.have.length(2);
    expect((await allowed()).map(({ kind, address }) => [kind, address])).to.deep.equal([['grace', '203.0.113.7']]);
    expect((await launcher.firebreak(['disallow', '203.0.113.7'])).exit).to.equal(0);
    expect((await launcher.json(['block', ...flow])).exit).to.equal(7); // not refused, but frozen
  });

  it('defaults.grace is the grace time of every unblock, and --grace 0 is none', async () => {
    launcher.configure({ defaults: { grace: '2h' } });
    await launcher.json(['unblock', '203.0.113.7', '--grace', '0']);
    expect(await allowed()).to.deep.equal([]);
    await launcher.json(['block', ...flow]);
    await launcher.json(['unblock', '203.0.113.7']);
    expect(await reasonOf(flow)).to.match(/grace time/);
    const { exit } = await launcher.jsonError(['unblock', '203.0.113.7', '--grace', 'soon']);
    expect(exit).to.equal(2);
  });

  it('unblock --allow puts the source on the allowlist, with its end, reason and actor', async () => {
    const { stdout } = await launcher.firebreak([
      'unblock',
      '203.0.113.7',
      '--allow',
      '30d',
      'our own scanner',
      '--json',
    ]);
    expect((JSON.parse(stdout) as Answer).state).to.equal('released');
    expect(await reasonOf(flow)).to.match(/^refused: 203\.0\.113\.7 is on the allowlist until .* \(our own scanner\)$/);
    const [entry] = await allowed();
    expect(entry).to.include({ kind: 'allow', reason: 'our own scanner' });
    const log = readFileSync(path.join(launcher.stateDir, 'audit.jsonl'), 'utf8');
    expect(log).to.match(/"event":"allow","by":"[^"]+","address":"203\.0\.113\.7"/);
  });

  it('allow takes a network for a time or for ever, disallow ends it', async () => {
    const { exit, stdout } = await launcher.firebreak(['allow', '203.0.113.0/24', 'the', 'branch', '--for', '7d']);
    expect({ exit, stdout }).to.have.property('exit', 0);
    expect(stdout).to.match(/^203\.0\.113\.0\/24 is on the allowlist until .* \(the branch\)/);
    expect(await reasonOf(['203.0.113.9', '192.168.1.10', '22'])).to.match(/on the allowlist as 203\.0\.113\.0\/24/);
    expect((await launcher.firebreak(['check', '203.0.113.9'])).exit).to.equal(3);
    await launcher.firebreak(['allow', '198.51.100.9', 'partner']);
    expect((await allowed()).map(({ until }) => until === null)).to.deep.equal([true, false]);
    await launcher.firebreak(['disallow', '203.0.113.0/24']);
    expect((await launcher.json(['block', ...flow])).exit).to.equal(7);
    for (const words of [
      ['disallow', '203.0.113.0/24'],
      ['allow', 'a..b', 'x'],
      ['allow', '203.0.113.7', '$()'],
      ['allow', '203.0.113.7', 'x', '--for', 'soon'],
      ['allow', 'no-such-name.invalid', 'x'],
    ]) {
      expect((await launcher.jsonError(words)).exit, words.join(' ')).to.equal(2);
    }
  });

  it('are known to a dry run, which says what would not be blocked and why', async () => {
    const predict = async (source: string): Promise<string> => {
      const { exit, stdout } = await launcher.firebreak(['block', source, '192.168.1.10', '22', '--check']);
      expect(exit).to.equal(3);
      return stdout;
    };
    await launcher.json(['unblock', '203.0.113.7', '--grace', '4h']);
    await launcher.firebreak(['allow', '203.0.113.9', 'partner']);
    expect(await predict('203.0.113.7')).to.match(/^edge: would NOT block 203\.0\.113\.7 .* grace time until /);
    expect(await predict('::ffff:203.0.113.9')).to.match(/^edge: would NOT block 203\.0\.113\.9 .* on the allowlist/);
    expect(await predict('127.0.0.1')).to.match(
      /^edge: would NOT block 127\.0\.0\.1 .*: refused: 127\.0\.0\.1 is loopback/,
    );
  });

  it('have 32 host names at most, and doctor warns of those that are not in DNS', async () => {
    const ledger = await openLedger({ file: path.join(launcher.stateDir, 'ledger.db') });
    const names = Array.from({ length: 32 }, (_, at) => `scanner-${at}.invalid`);
    try {
      for (const address of names)
        await ledger.allow({ kind: 'allow', address, durationMs: null, reason: 'ours', resolved: ['203.0.113.40'] });
    } finally {
      await ledger.close();
    }
    const { answer } = await launcher.jsonError(['allow', 'one-more.invalid', 'x']);
    expect(answer.error.message).to.match(/^the allowlist has 32 host names already/);
    expect(await reasonOf(['203.0.113.40', '192.168.1.10', '22'])).to.match(/on the allowlist as scanner-0\.invalid/);
    const { stdout } = await launcher.firebreak(['doctor']);
    expect(stdout).to.match(
      /! allowlist +not in DNS, so the last addresses stay allowed: scanner-0\.invalid \(last 203/,
    );
  });

  it('count without the ledger as well', async () => {
    await launcher.firebreak(['allow', '203.0.113.7', 'partner']);
    await launcher.json(['unblock', '203.0.113.7', '--grace', '4h']);
    const file = path.join(launcher.stateDir, 'ledger.db');
    for (const name of [`${file}-wal`, `${file}-shm`]) rmSync(name, { force: true });
    writeFileSync(file, 'not a ledger');
    const { answer } = await launcher.json(['block', ...flow]);
    expect(answer.blocks[0]).to.include({ state: 'refused' });
    expect(answer.blocks[0]?.reason).to.match(/^refused: 203\.0\.113\.7 is on the allowlist/);
  });
});
