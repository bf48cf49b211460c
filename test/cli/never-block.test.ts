import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { makeLauncher, type Launcher } from '../lab/launcher.js';

const block = ['block', '198.51.100.3', '192.168.1.10', '22'];

describe('a list of protected addresses', function () {
  this.timeout(60_000);
  let launcher: Launcher;
  let file: string;

  beforeEach(() => {
    launcher = makeLauncher({ edge: { host: '127.0.0.1', port: 1 } }, { policy: { never_block: ['@spared.txt'] } });
    file = path.join(launcher.folder, 'spared.txt');
    writeFileSync(file, '198.51.100.0/28\n203.0.113.1-203.0.113.2\n');
  });

  afterEach(() => launcher.remove());

  it('that was emptied or vanished stays in force with a warning, until its copy is deleted', async () => {
    expect((await launcher.firebreak(block)).exit).to.equal(3);
    writeFileSync(file, '# nothing any more\n');
    const emptied = await launcher.firebreak(block);
    expect(emptied.exit).to.equal(3);
    expect(emptied.stderr).to.match(
      /policy\.never_block: .*spared\.txt has no entries: its last content stays protected/,
    );
    expect((await launcher.firebreak(['doctor'])).stdout).to.match(
      /! .*spared\.txt has no entries: its last content stays\s+protected/,
    );
    rmSync(file);
    const vanished = await launcher.firebreak(block);
    expect(vanished.exit).to.equal(3);
    expect(vanished.stderr).to.match(/spared\.txt does not exist: its last content stays protected/);
    const copies = path.join(launcher.stateDir, 'never-block');
    expect(readdirSync(copies)).to.have.length(1);
    rmSync(copies, { recursive: true });
    expect((await launcher.firebreak(block)).exit).to.equal(2);
    writeFileSync(file, '');
    const empty = await launcher.firebreak(['check', '198.51.100.3']);
    expect(empty.exit).to.equal(0);
    expect(empty.stderr).to.match(/spared\.txt has no entries, so it protects nothing/);
  });

  it('with a line that cannot be read is an error, whatever its copy says', async () => {
    expect((await launcher.firebreak(block)).exit).to.equal(3);
    writeFileSync(file, 'not an address\n');
    expect((await launcher.firebreak(block)).exit).to.equal(2);
  });
});
