import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { packageRoot } from '../lab/package-root.js';

const run = promisify(execFile);

describe('npm run release', function () {
  this.timeout(600_000);
  let folder: string;

  before(function () {
    if (!existsSync('/usr/bin/dpkg-deb')) this.skip();
    folder = mkdtempSync(path.join(tmpdir(), 'release-'));
  });

  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const make = (name: string) =>
    run(process.execPath, [path.join(packageRoot, 'scripts/release.mjs'), path.join(folder, name)], {
      env: { ...process.env, SOURCE_DATE_EPOCH: '1700000000' },
    });
  const sums = (name: string): string => readFileSync(path.join(folder, name, 'SHA256SUMS'), 'utf8');

  it('makes tarball, Debian package, SBOM, notes and checksums, the same byte by byte when it is made again', async () => {
    await make('once');
    const files = readdirSync(path.join(folder, 'once')).map((file) => file.replace(/\d+\.\d+\.\d+/, 'V'));
    expect(files).to.have.members([
      'firebreak-V.tgz',
      files.find((file) => /^firebreak_V_(amd64|arm64)\.deb$/.test(file)),
      'firebreak-V.cdx.json',
      'NOTES.md',
      'SHA256SUMS',
    ]);
    await run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: path.join(folder, 'once') });
    const notes = readFileSync(path.join(folder, 'once/NOTES.md'), 'utf8');
    expect(notes).to.match(/^### /).and.not.match(/^## /m);
    await make('again');
    expect(sums('again')).to.equal(sums('once'));
  });
});
