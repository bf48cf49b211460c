import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { expect } from 'chai';
import { auditStart, linkEntry } from '#firebreak/core/audit.js';
import { makeLauncher, type Launcher } from '../lab/launcher.js';

const alarm = (last: number): string[] => ['block', `203.0.113.${last}`, '192.168.1.10', '22', '--no-wait'];

describe('firebreak audit', function () {
  this.timeout(120_000);
  let launcher: Launcher;
  let file: string;

  beforeEach(async () => {
    launcher = makeLauncher({ edge: { host: '192.0.2.1' } });
    file = path.join(launcher.stateDir, 'audit.jsonl');
    await launcher.firebreak(['freeze']); // no firewall is needed: nothing is carried
  });

  afterEach(() => launcher.remove());

  const entries = (): Record<string, unknown>[] =>
    readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it('is written by many processes at once, each decision once, and is whole', async () => {
    const calls = [...Array(12).keys()].map((last) => launcher.firebreak([...alarm(last + 1), '--risk=3']));
    await Promise.all(calls);
    await launcher.firebreak(['block', '127.0.0.1', '192.168.1.10', '22']);
    await launcher.firebreak(['unblock', '203.0.113.1']);
    expect(await launcher.firebreak(['audit', '--verify'])).to.deep.include({
      exit: 0,
      stdout: '15 entries: intact\n',
    });
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    const events = entries();
    expect(new Set(events.slice(1, 13).map(({ flow }) => flow)).size).to.equal(12);
    expect(events[1]).to.deep.include({ event: 'alarm', state: 'pending', context: { risk: '3' } });
    expect(events[1]!['by']).to.match(/, on this host$/);
    expect(events[13]).to.include({ state: 'refused', reason: 'refused: 127.0.0.1 is loopback (protected always)' });
    expect(events[14]).to.include({ event: 'release', state: 'released' });
    expect(events[14]?.['reason']).to.match(/^released by .+, on this host$/);
    const { stdout } = await launcher.firebreak(['audit']);
    expect(stdout)
      .to.match(/^2\d{3}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} {2}edge: alarm, pending\n {4}203\.0\.113\.\d+ -> /m)
      .and.match(/ edge: alarm, refused\n {4}127\.0\.0\.1 [^\n]+\n {4}by [^\n]+, on this host: refused: 127/);
    expect(stdout.split('\n').filter((line) => line.length > 80)).to.deep.equal([]);
  });

  it('has what a caller over SSH was refused, from where', async () => {
    const env = { SSH_ORIGINAL_COMMAND: 'rm -rf /', SSH_CLIENT: '198.51.100.9 50000 22' };
    const { exit } = await launcher.firebreak(['gateway', '--config', launcher.configFile], { env });
    expect(exit).to.equal(2);
    expect(entries().at(-1)).to.include({ event: 'gateway refused', command: '"rm -rf /"' });
    expect(entries().at(-1)!['by']).to.match(/by ssh from 198\.51\.100\.9$/);
  });

  it('tells what was forged, and that the end was cut', async () => {
    for (const last of [1, 2, 3]) await launcher.firebreak(alarm(last));
    const whole = readFileSync(file, 'utf8');
    writeFileSync(file, whole.replace('203.0.113.2', '203.0.113.9'));
    const forged = await launcher.firebreak(['audit', '--verify']);
    expect(forged.exit).to.equal(1);
    expect(forged.stdout).to.match(/^4 entries: BROKEN\nline 3 was changed/);
    writeFileSync(file, whole.split('\n').slice(0, 3).join('\n') + '\n');
    const cut = await launcher.firebreak(['audit', '--verify', '--json']);
    expect(JSON.parse(cut.stdout)).to.deep.equal({
      entries: 3,
      breaks: ['truncated: entries 4 to 4 are missing'],
      head: `4:${(JSON.parse(whole.split('\n')[3] ?? '') as { hash: string }).hash}`,
    });
    await launcher.firebreak(alarm(4)); // it goes on from what the ledger knows, and so the hole stays to be seen
    expect((await launcher.firebreak(['audit', '--verify'])).stdout).to.include(
      'entries 4 to 4 are missing or changed',
    );
  });

  const verify = () => launcher.firebreak(['audit', '--verify']);
  const remove = (...names: string[]): void => {
    for (const name of names) rmSync(path.join(launcher.stateDir, name), { force: true });
  };

  it('tells that log and key are gone, and that both ends of it are', async () => {
    await launcher.firebreak(alarm(1));
    remove('audit.jsonl');
    expect((await verify()).stdout).to.match(/entries 1 to 2 are missing/);
    remove('audit.key');
    const both = await verify();
    expect(both.exit).to.equal(1);
    expect(both.stdout).to.match(/the key of this log is missing/);
  });

  it('tells a chain that somebody made anew, with the ledger’s end of it, who cannot read the key', async () => {
    await launcher.firebreak(alarm(1));
    let head = auditStart;
    const lines = ['nothing', 'happened'].map((reason) => {
      const linked = linkEntry({ event: 'alarm', by: 'root', reason }, head, { at: new Date().toISOString() });
      head = linked.head;
      return linked.line;
    });
    writeFileSync(file, `${lines.join('\n')}\n`);
    const database = new DatabaseSync(path.join(launcher.stateDir, 'ledger.db'));
    database.prepare('UPDATE audit_head SET seq = ?, hash = ?, keyed = 0').run(head.seq, head.hash);
    database.close();
    const { exit, stdout } = await verify();
    expect(exit).to.equal(1);
    expect(stdout).to.match(/no line was written with this host's key/);
  });

  it('tells a ledger that was begun anew under an old log', async () => {
    await launcher.firebreak(alarm(1));
    remove('ledger.db', 'ledger.db-wal', 'ledger.db-shm');
    await launcher.firebreak(['freeze']);
    const { exit, stdout } = await verify();
    expect(exit).to.equal(1);
    expect(stdout).to.equal('4 entries: BROKEN\nat line 3 a new ledger continues this log\n');
  });

  it('is compared with where it ended once', async () => {
    await launcher.firebreak(alarm(1));
    const { head } = JSON.parse((await launcher.firebreak(['audit', '--verify', '--json'])).stdout) as { head: string };
    await launcher.firebreak(alarm(2));
    const anchored = await launcher.firebreak(['audit', '--anchor', head.slice(0, 34)]);
    expect(anchored).to.deep.include({ exit: 0, stdout: '3 entries: intact\n' });
    const other = await launcher.firebreak(['audit', '--anchor', `1:${head.slice(2, 34)}`]);
    expect(other.exit).to.equal(1);
    expect(other.stdout).to.match(/entry 1 does not match the anchor/);
    expect((await launcher.firebreak(['audit', '--anchor', 'yesterday'])).stderr).to.match(/expected NUMBER:HASH/);
  });

  it('goes on over a log that was moved away', async () => {
    await launcher.firebreak(alarm(1));
    const archive = path.join(launcher.folder, 'old.jsonl');
    renameSync(file, archive);
    await launcher.firebreak(alarm(2));
    expect((await verify()).stdout).to.include('entries 1 to 2');
    expect((await launcher.firebreak(['audit', '--verify', archive])).stdout).to.equal('3 entries: intact\n');
  });

  it('finds by itself what was set aside for its size, and shows the last decisions of all files', async () => {
    await launcher.firebreak(alarm(1));
    renameSync(file, `${file}.1`);
    await launcher.firebreak(alarm(2));
    expect((await verify()).stdout).to.equal('3 entries: intact\n');
    expect((await launcher.firebreak(['audit', '--verify', `${file}.1`])).stdout).to.equal('3 entries: intact\n');
    const { stdout } = await launcher.firebreak(['audit', '--json']);
    expect((JSON.parse(stdout) as { entries: unknown[] }).entries).to.have.length(3);
  });

  it('removes half a line that a crash left, and says so', async () => {
    await launcher.firebreak(alarm(1));
    writeFileSync(file, '{"seq":', { flag: 'a' });
    expect((await verify()).stdout).to.equal('3 entries: BROKEN\nline 3 was changed or is not an entry\n');
    await launcher.firebreak(alarm(2));
    expect((await verify()).stdout).to.equal('4 entries: intact\n');
    expect(entries().map(({ event }) => event)).to.deep.equal(['freeze', 'alarm', 'log repaired', 'alarm']);
  });
});
