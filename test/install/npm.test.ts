import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, type Answer } from '../lab/launcher.js';
import { packageRoot } from '../lab/package-root.js';

const run = promisify(execFile);

/** What npm is not to do: ask its registry more than it must, and write or say things nobody reads here. */
const quiet = { npm_config_audit: 'false', npm_config_fund: 'false', npm_config_update_notifier: 'false' };
const npmEnv = { ...process.env, ...quiet, npm_config_prefer_offline: 'true', npm_config_logs_max: '0' };

describe('the package of npm', function () {
  this.timeout(600_000); // it asks a registry
  let folder: string;
  let tarball: string;
  let installed: string;
  let program: string;

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'npm-'));
    // What `npm pack` would do first, the build, has been done: doing it again would take it away from other tests.
    const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
    const { stdout } = await run('npm', pack, { cwd: packageRoot, env: npmEnv });
    tarball = path.join(folder, stdout.trim());
    const prefix = path.join(folder, 'prefix');
    // Its own scripts and those of what it needs are not run: there is no build step, and no compiler is asked for.
    const install = ['install', '--global', '--ignore-scripts', '--prefix', prefix, tarball];
    await run('npm', install, { cwd: '/', env: npmEnv });
    installed = path.join(prefix, 'lib/node_modules/firebreak');
    program = path.join(prefix, 'bin/firebreak');
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it('holds the built program and what it reads, and nothing that only its makers need', async () => {
    const { stdout } = await run('tar', ['--list', '--gzip', '--file', tarball]);
    const names = stdout.split('\n').filter(Boolean);
    const tops = new Set(names.map((name) => name.split('/')[1]));
    expect([...tops]).to.include.members([
      'dist',
      'playbooks',
      'templates',
      'schema',
      'docs',
      'inventory',
      'completions',
    ]);
    expect(names.filter((name) => /^package\/(src|test|build|scripts|bench|\.)|__pycache__/.test(name))).to.eql([]);
  });

  it('installs for all, without one package that only its makers need', () => {
    const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as { devDependencies: object }; // ours
    const { devDependencies } = read(path.join(packageRoot, 'package.json'));
    const there = Object.keys(devDependencies).filter((name) => existsSync(path.join(installed, 'node_modules', name)));
    expect(there).to.deep.equal([]);
    expect(readdirSync(path.dirname(program))).to.deep.equal(['firebreak']);
    expect(existsSync(path.join(folder, 'prefix/share/man/man1/firebreak.1'))).to.equal(true);
  });

  it('brings each package in the version that was tested, and none besides', () => {
    const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as { version: string }; // package.json
    const lock = JSON.parse(readFileSync(path.join(packageRoot, 'npm-shrinkwrap.json'), 'utf8')) as {
      packages: Record<string, { version: string; dev?: boolean }>;
    };
    const wanted = Object.entries(lock.packages).filter(([place, { dev }]) => place !== '' && dev !== true);
    const brought = wanted.filter(([place]) => existsSync(path.join(installed, place)));
    expect(brought.length).to.be.greaterThan(60);
    for (const [place, { version }] of brought)
      expect(read(path.join(installed, place, 'package.json')).version, place).to.equal(version);
  });

  it('comes with an SBOM in CycloneDX that names them, and is the same each time', async () => {
    const [one, two] = [path.join(folder, 'one'), path.join(folder, 'two')];
    for (const each of [one, two])
      await run('node', ['scripts/sbom.mjs', each], { cwd: packageRoot, env: { ...npmEnv, SOURCE_DATE_EPOCH: '0' } });
    const [name = ''] = readdirSync(one);
    expect(name).to.match(/^firebreak-.*\.cdx\.json$/);
    const text = readFileSync(path.join(one, name), 'utf8');
    expect(readFileSync(path.join(two, name), 'utf8')).to.equal(text);
    const sbom = JSON.parse(text) as { bomFormat: string; components: { name: string }[] }; // CycloneDX 1.5
    expect(sbom.bomFormat).to.equal('CycloneDX');
    const names = sbom.components.map((each) => each.name);
    expect(names).to.include.members(['yargs', 'execa', 'winston', '@photostructure/sqlite']).and.not.include('mocha');
  });

  it('says its version in any folder', async () => {
    const { version } = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as { version: string };
    for (const cwd of ['/', tmpdir()]) {
      expect((await run(program, ['--version'], { cwd })).stdout.trim()).to.equal(version);
    }
  });

  describe('once installed', () => {
    let edge: Firewall;

    beforeEach(async () => {
      edge = await startFirewall();
    });

    afterEach(() => edge.stop());

    it('blocks a flow, proven on the firewall, from a folder that has nothing to do with it', async () => {
      const launcher = makeLauncher({ edge: settingsOf(edge) });
      try {
        const env = { PATH: process.env['PATH'], HOME: launcher.home, TMPDIR: process.env['TMPDIR'] };
        const words = ['block', '203.0.113.7', '192.168.1.10', '22', '--config', launcher.configFile, '--json'];
        const { stdout } = await run(program, words, { cwd: '/', env });
        const answer = JSON.parse(stdout) as Answer; // block --json
        expect({ state: answer.state, exit: answer.exit }).to.deep.equal({ state: 'active', exit: 0 });
        const rules = await edge.loadedRules();
        expect(rules.filter((rule) => rule.includes('from 203.0.113.7 to 192.168.1.10'))).to.have.length(1);
      } finally {
        launcher.remove();
      }
    });
  });
});
