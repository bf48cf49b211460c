import { renameSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, type Launcher } from '../lab/launcher.js';

describe('the folders of runs, of which one is kept,', function () {
  this.timeout(120_000);
  let edge: Firewall;
  let inner: Firewall;
  let launcher: Launcher;

  beforeEach(async () => {
    [edge, inner] = [await startFirewall(), await startFirewall()];
    const firewalls = { edge: settingsOf(edge), inner: settingsOf(inner) };
    launcher = makeLauncher(firewalls, { ansible: { keep_runs: 1 } });
  });

  afterEach(async () => {
    launcher.remove();
    await edge.stop();
    await inner.stop();
  });

  const alarm = (firewall: string, port: number): string[] => [
    ...['block', '203.0.113.7', '192.168.1.10', String(port), '--firewall', firewall, '--json'],
  ];

  async function apply(firewall: string, port: number): Promise<void> {
    const { exit, stderr } = await launcher.firebreak(alarm(firewall, port));
    expect(exit, stderr).to.equal(0);
  }

  it('are those of the last run, and of one that is under way on another firewall', async () => {
    const release = await edge.holdLock();
    const waiting = launcher.start(alarm('edge', 1));
    try {
      const live = await launcher.waitForEvent(({ task }) => task?.includes('Insert the missing rules') === true);
      await apply('inner', 2);
      await apply('inner', 3);
      expect(waiting.child.exitCode, 'it still waits for the lock').to.equal(null);
      expect(launcher.runs()).to.have.length(2).and.include(live);
    } finally {
      await release();
    }
    const { exit, stderr } = await waiting.ended;
    expect(exit, stderr).to.equal(0);
    await apply('inner', 4);
    expect(launcher.runs()).to.have.length(1);
  });

  it('are those of the last run after the clock was set back as well', async () => {
    await apply('inner', 1);
    // As if it had begun when the clock was far ahead: names of runs begin with the time.
    const [ahead = ''] = launcher.runs();
    const later = '7ZZZZZZZZZZZZZZZZZZZZZZZZZ';
    renameSync(ahead, path.join(path.dirname(ahead), later));
    const ledger = new DatabaseSync(path.join(launcher.stateDir, 'ledger.db'));
    const changes = ledger.prepare('UPDATE run SET id = ?, started_at = started_at + 86400000').run(later);
    ledger.close();
    expect(changes.changes).to.equal(1);
    await apply('inner', 2);
    expect(launcher.runs().map((run) => path.basename(run)))
      .to.have.length(1)
      .and.not.include(later);
  });
});
