import { chmodSync, chownSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { fullDisk, noInodes, readOnly, runOnDisk } from '../lab/disk.js';
import { makeLauncher, type Launcher } from '../lab/launcher.js';
import { canMount } from '../lab/namespace.js';

const alarm = ['block', '203.0.113.7', '192.168.1.10', '22', '--no-wait'];

describe('a disk that cannot be written', function () {
  this.timeout(180_000);
  let launcher: Launcher;

  beforeEach(async function () {
    if (!canMount()) this.skip();
    launcher = makeLauncher({ edge: { host: '192.0.2.1' } });
    await launcher.firebreak(['freeze']); // no firewall is needed: nothing is applied
    await launcher.firebreak(alarm);
  });

  afterEach(() => launcher.remove());

  for (const [title, disk, reason] of [
    ['read-only', readOnly, 'the file system is read-only'],
    ['full', fullDisk, 'no space left on the disk'],
    ['out of inodes', noInodes, 'no inode left on the disk'],
  ] as const) {
    it(`since it is ${title}: commands that read work, and one that writes says why it does not`, async () => {
      const [{ id }] = (
        JSON.parse((await launcher.firebreak(['list', '--json'])).stdout) as { blocks: [{ id: string }] }
      ).blocks;
      for (const args of [
        ['list'],
        ['show', id],
        ['check', '203.0.113.7'],
        ['report'],
        ['audit'],
        ['audit', '--verify'],
      ]) {
        const { exit, stdout, stderr } = await runOnDisk(launcher, disk, args);
        expect({ args, exit, stderr }).to.deep.equal({ args, exit: 0, stderr: '' });
        expect(stdout).to.not.equal('');
      }
      const { exit, stderr } = await runOnDisk(launcher, disk, ['unblock', '--id', id, '--no-wait']);
      expect(exit).to.equal(2);
      expect(stderr).to.include(`the ledger cannot be written (${reason}`);
    });
  }

  it('behind stdout changes no exit code', async () => {
    const { exit, stderr } = await runOnDisk(launcher, 'exec >/dev/full', ['list']);
    expect({ exit, stderr }).to.deep.equal({ exit: 0, stderr: '' });
  });

  it('that belongs to an account without the right to write: commands that read work', async function () {
    if (process.getuid?.() !== 0) this.skip();
    for (const folder of [launcher.folder, path.dirname(launcher.folder)]) chmodSync(folder, 0o755);
    for (const name of readdirSync(launcher.stateDir)) {
      chownSync(path.join(launcher.stateDir, name), 65534, 65534);
      chmodSync(path.join(launcher.stateDir, name), 0o400);
    }
    chownSync(launcher.stateDir, 65534, 65534);
    chmodSync(launcher.stateDir, 0o500);
    const { exit, stdout } = await launcher.firebreak(['list']);
    expect(exit).to.equal(0);
    expect(stdout).to.include('203.0.113.7');
  });
});
