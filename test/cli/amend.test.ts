import path from 'node:path';
import { expect } from 'chai';
import { openLedger } from '#firebreak/ledger/index.js';
import { anAlarm } from '../fixtures.js';
import { makeLauncher, type Launcher } from '../lab/launcher.js';

describe('firebreak extend and comment', function () {
  this.timeout(60_000);
  let launcher: Launcher;
  let id: string;

  // No run is started.
  beforeEach(async () => {
    launcher = makeLauncher({ edge: { host: '127.0.0.1', port: 9 } });
    const ledger = await openLedger({ file: path.join(launcher.stateDir, 'ledger.db') });
    const alarm = anAlarm('A', { durationMs: 3_600_000 });
    const { blocks } = await ledger.recordAlarms([alarm], { recheckMs: 0 });
    id = blocks[0]![0]!.id.slice(-6);
    await ledger.close();
  });
  afterEach(() => launcher.remove());

  const readBlock = async (): Promise<Record<string, unknown>> =>
    JSON.parse((await launcher.firebreak(['show', id, '--json'])).stdout) as Record<string, unknown>;

  const readLastEntry = async (): Promise<Record<string, unknown> | undefined> =>
    (
      JSON.parse((await launcher.firebreak(['audit', '--json'])).stdout) as { entries: Record<string, unknown>[] }
    ).entries.at(-1);

  it('lets a block end later, and says when', async () => {
    const { exit, stdout } = await launcher.firebreak(['extend', id, '--for', '7d']);
    expect(exit).to.equal(0);
    expect(stdout).to.match(
      /^edge: extended to \d{4}-.* [+-]\d{4}: 203\.0\.113\.7 -> 192\.168\.1\.10 tcp\/22 on wan \(id \w{6}\)\n$/,
    );
    const { expires_at: until } = await readBlock();
    expect(Date.parse(String(until)) - Date.now()).to.be.within(6.9 * 86_400_000, 7 * 86_400_000);
    await launcher.firebreak(['extend', id, '--for', 'forever']);
    expect((await readBlock())['expires_at']).to.equal(null);
    expect(await readLastEntry()).to.include({ event: 'extend', until: null });
  });

  for (const [words, sentence] of [
    [['--for', '1m'], /stands until .* already; firebreak unblock ends it earlier/],
    [['--for', 'a while'], /--for: expected a duration such as 90m, 24h, 30d or forever, got "a while"/],
    [[], /Missing required argument: for/],
  ] as const) {
    it(`refuses extend ${words.join(' ')}`, async () => {
      const { exit, stderr } = await launcher.firebreak(['extend', id, ...words]);
      expect(exit).to.equal(2);
      expect(stderr).to.match(sentence);
    });
  }

  it('does not extend a block that is over', async () => {
    await launcher.firebreak(['unblock', '--id', id]);
    const { exit, stderr } = await launcher.firebreak(['extend', id, '--for', '7d']);
    expect(exit).to.equal(2);
    expect(stderr).to.contain('is released: firebreak block blocks it again');
  });

  it('keeps a comment, in the ledger and in the audit log, until it is removed', async () => {
    const hostile = 'ticket 17,\u001b[31m "see" $(id) {{ 1 }}\nand mail';
    const { exit, stdout } = await launcher.firebreak(['comment', id, hostile]);
    expect({ exit, stdout }).to.deep.equal({
      exit: 0,
      stdout: `edge: noted on 203.0.113.7 -> 192.168.1.10 tcp/22 on wan (id ${id})\n`,
    });
    const kept = String((await readBlock())['comment']);
    expect(kept)
      .to.match(/^ticket 17,.*"see" \$\(id\) \{\{ 1 \}\} and mail$/)
      .and.not.contain('\u001b');
    expect((await launcher.firebreak(['show', id])).stdout).to.contain(`comment      ${kept}`);
    expect(await readLastEntry()).to.include({ event: 'comment', reason: kept });
    await launcher.firebreak(['comment', id]);
    expect((await readBlock())['comment']).to.equal(null);
  });
});
