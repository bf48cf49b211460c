// Builds the Debian package of the built program, for the architecture of this machine:
//
//   npm run deb                    build/deb/firebreak_VERSION_ARCH.deb, and beside it the SBOM
//   node scripts/deb.mjs FOLDER    the same, into another folder
//
// The same sources and SOURCE_DATE_EPOCH (by default the last commit's time) give the same file, byte by byte.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  lutimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { renderGateway, renderSshdSettings, renderSudoers, renderUnits } from '../build/src/setup/host/host-files.js';
import { external } from './bundle.mjs';
import { writeSbom } from './sbom.mjs';

const root = path.resolve(import.meta.dirname, '..');
const home = 'usr/lib/firebreak';
const gateway = `/${home}/gateway`;
const { name, version, license, description } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

const maintainer = 'The Firebreak maintainers <firebreak@example.org>';

const words = {
  user: 'siem',
  owner: 'firebreak',
  openssh: 9.2,
  program: ['/usr/bin/firebreak'],
  handOver: ['/usr/bin/python3', '-IS', `/${home}/templates/host/hand-over.py`, '/var/lib/firebreak/intake.sock'],
  configFile: '/etc/firebreak/firebreak.yml',
  writable: ['/var/lib/firebreak', '/var/log/firebreak'],
};

/** Debian's name of an architecture, and the name in packages with compiled parts. */
const machines = { amd64: 'linux-x64', arm64: 'linux-arm64' };

function findArchitecture() {
  const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
  if (machines[architecture] === undefined)
    throw new Error(`${architecture}: there is no SQLite for this architecture`);
  return architecture;
}

function findEpoch() {
  const told = process.env.SOURCE_DATE_EPOCH;
  if (told !== undefined) return Number(told);
  const log = ['-C', root, 'log', '--max-count=1', '--format=%ct'];
  return Number(execFileSync('git', log, { encoding: 'utf8' }).trim());
}

/** Packages that the bundle leaves out, with their dependencies. */
function findPackages(wanted, found = new Set()) {
  for (const one of wanted) {
    if (one === 'node-addon-api' || found.has(one)) continue; // headers for compiling
    found.add(one);
    const { dependencies = {} } = JSON.parse(
      readFileSync(path.join(root, 'node_modules', one, 'package.json'), 'utf8'),
    );
    findPackages(Object.keys(dependencies), found);
  }
  return [...found];
}

/** Whether a file of such a package is needed at run time: no sources, and only the binaries of this architecture. */
function isNeeded(file, machine) {
  if (/\/(src|scripts)$|\.(gyp|md|map|d\.[cm]?ts)$|gyp-build\/(bin|build-test|optional)\.js$/.test(file)) return false;
  const [, folder, compiled = ''] = /\/prebuilds\/([^/]+)(\/.*)?$/.exec(file) ?? [];
  return folder === undefined || (folder === machine && !compiled.endsWith('.musl.node'));
}

/** Not what Python or Node have compiled for the versions on this machine. */
const isCommon = (file) => !/__pycache__|\.cache$/.test(file);

function copyProgram(stage, machine) {
  const into = (file) => path.join(stage, home, file);
  for (const part of ['dist', 'playbooks', 'templates', 'inventory', 'schema', 'package.json']) {
    cpSync(path.join(root, part), into(part), { recursive: true, filter: isCommon });
  }
  rmSync(into('dist/licences.txt')); // moves to where Debian expects it
  for (const one of findPackages(external)) {
    cpSync(path.join(root, 'node_modules', one), into(`node_modules/${one}`), {
      recursive: true,
      filter: (file) => isNeeded(file.slice(root.length), machine),
    });
  }
  const program = into('dist/cli.js');
  writeFileSync(program, readFileSync(program, 'utf8').replace(/^#!.*/, '#!/usr/bin/node'));
  mkdirSync(path.join(stage, 'usr/bin'), { recursive: true });
  symlinkSync('../lib/firebreak/dist/cli.js', path.join(stage, 'usr/bin/firebreak'));
}

/** Files that the package installs elsewhere, by path. */
function renderFiles(epoch) {
  const read = (file) => readFileSync(path.join(root, file), 'utf8');
  const pack = (text) => gzipSync(text, { level: 9 });
  const docs = `usr/share/doc/${name}`;
  const documents = readdirSync(path.join(root, 'docs')).map((file) => [`${docs}/${file}`, read(`docs/${file}`)]);
  const units = renderUnits(words, '/usr/lib/systemd/system');
  const host = [renderGateway(words, gateway), renderSshdSettings(words, gateway), ...renderSudoers(words), ...units];
  return {
    ...Object.fromEntries(host.map((file) => [file.path.slice(1), file.text])),
    ...Object.fromEntries(documents),
    [`usr/share/man/man1/${name}.1.gz`]: pack(read('man/firebreak.1')),
    [`usr/share/bash-completion/completions/${name}`]: read('completions/firebreak.bash'),
    [`usr/share/zsh/vendor-completions/_${name}`]: read('completions/_firebreak'),
    [`${docs}/CHANGELOG.md`]: read('CHANGELOG.md'),
    [`${docs}/changelog.gz`]: pack(renderChangelog(epoch)),
    [`${docs}/copyright`]: `${name}: ${license}\n\n${read('LICENSE')}\n${nameCommon(read('dist/licences.txt'))}`,
  };
}

/** In Debian's format, which refers to the upstream changelog beside it. */
function renderChangelog(epoch) {
  const date = new Date(epoch * 1000).toUTCString().replace('GMT', '+0000');
  return `${name} (${version}) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- ${maintainer}  ${date}\n`;
}

/** A licence that Debian has a copy of is named, not quoted. */
const nameCommon = (licences) =>
  licences.replace(/(: Apache-2\.0\n\n)[\s\S]*?(?=\n-{80}|$)/g, '$1See /usr/share/common-licenses/Apache-2.0.\n');

function listFiles(stage) {
  return readdirSync(stage, { recursive: true, withFileTypes: true })
    .map((entry) => path.relative(stage, path.join(entry.parentPath, entry.name)))
    .sort();
}

/** Sets the same modes and times on every build host. */
function settle(stage, epoch) {
  for (const file of ['', ...listFiles(stage)]) {
    const there = path.join(stage, file);
    const stat = lstatSync(there);
    if (stat.isSymbolicLink()) {
      lutimesSync(there, epoch, epoch);
      continue;
    }
    const secret = file.startsWith('etc/sudoers.d/');
    const runs = stat.isDirectory() || ['gateway', 'dist/cli.js'].includes(path.relative(home, file));
    chmodSync(there, runs || /^DEBIAN\/(post|pre)/.test(file) ? 0o755 : secret ? 0o440 : 0o644);
    utimesSync(there, epoch, epoch);
  }
}

function writeControl(stage, architecture) {
  const files = listFiles(stage).filter((file) => lstatSync(path.join(stage, file)).isFile());
  const contents = files.map((file) => [file, readFileSync(path.join(stage, file))]);
  const size = contents.reduce((sum, [, content]) => sum + Math.ceil(content.length / 1024), 0);
  const sums = contents.map(([file, content]) => `${createHash('md5').update(content).digest('hex')}  ${file}\n`);
  const conffiles = files.filter((file) => file.startsWith('etc/'));
  const control = {
    control: `Package: ${name}
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${size}
Depends: nodejs (>= 20.19), ansible-core (>= 2.14), openssh-client, passwd, sudo, libc6, libstdc++6
Recommends: openssh-server (>= 1:9.2)
Breaks: openssh-server (<< 1:9.2)
Suggests: sshpass
Section: net
Priority: optional
Description: ${description.replace(/^Turns/, 'turn')}
 Firebreak carries an alarm of a SIEM such as AlienVault OSSIM to a block rule
 on pfSense, and proves that the rule is in force. Alarms are kept on disk
 before anything is tried, alarms that come together share one run, what fails
 is tried again, and each block ends by itself.
`,
    md5sums: sums.join(''),
    triggers: 'interest-noawait /usr/bin/node\n',
    conffiles: conffiles.map((file) => `/${file}\n`).join(''),
  };
  mkdirSync(path.join(stage, 'DEBIAN'));
  for (const [file, text] of Object.entries(control)) writeFileSync(path.join(stage, 'DEBIAN', file), text);
  cpSync(path.join(root, 'packaging/debian'), path.join(stage, 'DEBIAN'), { recursive: true });
}

/** Builds the package into a folder, and returns its path. */
function buildDeb(folder) {
  if (!existsSync(path.join(root, 'dist/cli.js'))) throw new Error('run npm run build first');
  const architecture = findArchitecture();
  const epoch = findEpoch();
  const stage = mkdtempSync(path.join(tmpdir(), 'fb-deb-'));
  try {
    copyProgram(stage, machines[architecture]);
    for (const [file, content] of Object.entries(renderFiles(epoch))) {
      mkdirSync(path.dirname(path.join(stage, file)), { recursive: true });
      writeFileSync(path.join(stage, file), content);
    }
    writeControl(stage, architecture);
    settle(stage, epoch);
    const file = path.join(folder, `${name}_${version}_${architecture}.deb`);
    mkdirSync(folder, { recursive: true });
    execFileSync('dpkg-deb', ['--build', '--root-owner-group', '-Zxz', stage, file], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    writeSbom(folder, epoch);
    return file;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

console.log(buildDeb(path.resolve(process.argv[2] ?? path.join(root, 'build/deb'))));
