import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { toDataUrl } from '../lab/launcher.js';
import { packageRoot } from '../lab/package-root.js';

const run = promisify(execFile);

/** Prints whether V8 refused the code cache of each script that is compiled with one. */
const spy = toDataUrl(`
  import vm from 'node:vm';
  const { Script } = vm;
  vm.Script = class extends Script {
    constructor(text, options) {
      super(text, options);
      console.error('refused: ' + this.cachedDataRejected);
    }
  };`);

describe('the compiled program', () => {
  let folder: string;
  let dist: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'code-cache-'));
    dist = path.join(folder, 'dist');
    cpSync(path.join(packageRoot, 'dist'), dist, {
      recursive: true,
      filter: (file) => !file.endsWith('.cache'),
    });
    cpSync(path.join(packageRoot, 'package.json'), path.join(folder, 'package.json'));
    mkdirSync(path.join(folder, 'playbooks'));
    mkdirSync(path.join(folder, 'node_modules'));
    for (const name of ['@photostructure', 'node-gyp-build'])
      cpSync(path.join(packageRoot, 'node_modules', name), path.join(folder, 'node_modules', name), {
        recursive: true,
      });
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const caches = (): string[] => readdirSync(dist).filter((name) => name.endsWith('.cache'));

  async function explain(): Promise<{ stdout: string; stderr: string }> {
    const env = { ...process.env, NODE_OPTIONS: `--import ${spy}` };
    return run(process.execPath, [path.join(dist, 'cli.js'), 'config', '--explain', 'mail.port'], { env });
  }

  const explained = 'mail.port (default: 25)\n  SMTP port.\n';

  it('is stored beside the program, for this Node, and is used', async () => {
    expect(await explain()).to.deep.equal({ stdout: explained, stderr: 'refused: undefined\n' });
    await run(process.execPath, [path.join(dist, 'compile.js')]);
    const [name = ''] = caches();
    expect(name)
      .to.match(/^program-\w+\.js\.v[\d.]+-\w+\.cache$/)
      .and.include(`${process.version}-${process.arch}`);
    expect(statSync(path.join(dist, name)).mode & 0o777).to.equal(0o644);
    expect(await explain()).to.deep.equal({ stdout: explained, stderr: 'refused: false\n' });
  });

  it('is not used if another Node made it, or if it is cut off', async () => {
    await run(process.execPath, [path.join(dist, 'compile.js')]);
    const file = path.join(dist, caches()[0] ?? '');
    const whole = readFileSync(file);
    const foreign = Buffer.from(whole);
    foreign.writeUInt32LE(foreign.readUInt32LE(4) ^ 1, 4); // V8's own version, in the head of the cache
    for (const content of [foreign, whole.subarray(0, 4096), Buffer.alloc(0)]) {
      writeFileSync(file, content);
      expect(await explain()).to.deep.equal({ stdout: explained, stderr: 'refused: true\n' });
    }
  });

  it('leaves nothing else behind', async () => {
    const temporary = path.join(folder, 'tmp');
    mkdirSync(temporary);
    const before = readdirSync(dist);
    await run(process.execPath, [path.join(dist, 'compile.js')], { env: { ...process.env, TMPDIR: temporary } });
    expect(readdirSync(temporary)).to.deep.equal([]);
    expect(readdirSync(dist).filter((name) => !before.includes(name))).to.deep.equal(caches());
  });
});
