// Makes everything that a release publishes, in one folder:
//
//   npm run release                    build/release
//   node scripts/release.mjs FOLDER    the same, into another folder
//
// firebreak-VERSION.tgz, firebreak_VERSION_ARCH.deb, firebreak-VERSION.cdx.json (the SBOM), NOTES.md (from CHANGELOG.md)
// and SHA256SUMS. The same commit, with the same installed packages, gives the same files, byte by byte.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

function findEpoch() {
  const told = process.env.SOURCE_DATE_EPOCH;
  if (told !== undefined) return told;
  return execFileSync('git', ['-C', root, 'log', '--max-count=1', '--format=%ct'], { encoding: 'utf8' }).trim();
}

/** The section of this version; before it is dated, that of the unreleased changes. */
export function findNotes(changelog, wanted) {
  const sections = changelog.split(/^(?=## \[)/m);
  const find = (name) => sections.find((text) => text.startsWith(`## [${name}]`));
  const found = find(wanted) ?? find('Unreleased');
  if (found === undefined) throw new Error(`CHANGELOG.md has no section for ${wanted}`);
  return `${found.replace(/^## .*\n+/, '').trim()}\n`;
}

/** npm packs with fixed times, so the tarball depends on the files alone. A folder of its own keeps the clone clean. */
function packTarball(folder) {
  const options = ['--ignore-scripts', '--silent', '--pack-destination', folder];
  execFileSync('npm', ['pack', ...options], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}

const sumOf = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

function release(folder) {
  if (!existsSync(path.join(root, 'dist/cli.js'))) throw new Error('run npm run build first');
  const epoch = findEpoch();
  const stage = mkdtempSync(path.join(tmpdir(), 'fb-release-'));
  try {
    packTarball(stage);
    // It writes the SBOM as well.
    execFileSync(process.execPath, [path.join(root, 'scripts/deb.mjs'), stage], {
      env: { ...process.env, SOURCE_DATE_EPOCH: epoch },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    writeFileSync(
      path.join(stage, 'NOTES.md'),
      findNotes(readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8'), version),
    );
    const files = readdirSync(stage).sort();
    const sums = files.map((file) => `${sumOf(path.join(stage, file))}  ${file}\n`);
    writeFileSync(path.join(stage, 'SHA256SUMS'), sums.join(''));
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(path.dirname(folder), { recursive: true });
    cpSync(stage, folder, { recursive: true });
    return [...files, 'SHA256SUMS'].map((file) => path.join(folder, file));
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  const made = release(path.resolve(process.argv[2] ?? path.join(root, 'build/release')));
  console.log(made.join('\n'));
}
