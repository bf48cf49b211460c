import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { expect } from 'chai';
import { makeLauncher, program, toDataUrl, waitUntil, type Launcher } from '../lab/launcher.js';

/** Changes are frozen here: what is recorded counts, and no run begins. */
const nowhere = { host: '192.0.2.250', user: 'admin', interfaces: {} };
const frozen = 7;
const target = ['--dst-ip', '192.168.1.10', '--dst-port', '22', '--no-wait'];

interface ImportDocument {
  blocks: { source: string; state: string; firewall: string; expires_at: string | null }[];
  summary: Record<string, unknown>;
}

describe('import, through the built program,', function () {
  this.timeout(120_000);
  let launcher: Launcher;

  beforeEach(async () => {
    launcher = makeLauncher({ edge: nowhere });
    await launcher.firebreak(['freeze', 'test']);
  });

  afterEach(() => launcher.remove());

  const fileOf = (text: string): string => {
    const file = path.join(launcher.folder, 'list');
    writeFileSync(file, text);
    return file;
  };

  const importJson = async (text: string, options: readonly string[] = []): Promise<ImportDocument> => {
    const { exit, stdout, stderr } = await launcher.firebreak([
      'import',
      fileOf(text),
      '--json',
      ...target,
      ...options,
    ]);
    expect(exit, stdout + stderr).to.equal(frozen);
    return JSON.parse(stdout) as ImportDocument;
  };

  it('reads stdin', async () => {
    const child = spawn(process.execPath, [program, 'import', '-', ...target], {
      env: { ...process.env, HOME: launcher.home, FIREBREAK_CONFIG: launcher.configFile },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdin.end('203.0.113.7\n203.0.113.8\n');
    let said = '';
    for await (const chunk of child.stdout) said += String(chunk);
    expect(said).to.equal(
      [
        '2 entries: 2 pending',
        'read 2, new 2, known 0, refused by policy 0, held 0, skipped 0',
        'filled in from the options: destination of 2, port of 2\n',
      ].join('\n'),
    );
  });

  it('counts what is new, known, refused and skipped, and says what the options filled in', async () => {
    await importJson('203.0.113.7');
    const text = [
      'ip,destination,enabled',
      '203.0.113.7,,1',
      '203.0.113.8,192.168.1.20,1',
      '127.0.0.1,,1',
      '203.0.113.9,,0',
    ].join('\n');
    const { blocks, summary } = await importJson(text);
    expect(summary).to.deep.equal({
      ...{ read: 4, new: 1, known: 1, refused: 1, held: 0, skipped: 1 },
      filled: { destination: 2, port: 3 },
    });
    expect(blocks.map(({ state }) => state)).to.deep.equal(['pending', 'pending', 'refused']);
  });

  it('tells twenty bad rows, then how many more, and records nothing', async () => {
    const bad = Array.from({ length: 25 }, (_, at) => `host-${at}.example`);
    const { exit, answer } = await launcher.jsonError([
      'import',
      fileOf(['203.0.113.7', ...bad].join('\n')),
      ...target,
    ]);
    const lines = answer.error.message.split('\n');
    expect(exit).to.equal(2);
    expect(lines).to.have.length(22);
    expect(lines[0]).to.equal('line 2: expected an address, got "host-0.example"');
    expect(lines.slice(20)).to.deep.equal(['and 5 more', 'nothing was recorded']);
    expect((await launcher.firebreak(['list'])).stdout).to.equal('no blocks\n');
  });

  it('--skip-bad goes on without them, and says which', async () => {
    const { exit, stdout, stderr } = await launcher.firebreak([
      ...['import', fileOf('203.0.113.7\nexample\n192.168.1.10'), ...target, '--skip-bad'],
    ]);
    expect(exit).to.equal(frozen);
    expect(stdout).to.include('read 3, new 1, known 0, refused by policy 0, held 0, skipped 2\n');
    expect(stderr)
      .to.include('skipped line 2: expected an address, got "example"')
      .and.include('skipped line 3: 192.168.1.10 is both source and destination');
  });

  it('--skip-bad of a list without a good row is an error', async () => {
    const { exit } = await launcher.jsonError(['import', fileOf('example'), ...target, '--skip-bad']);
    expect(exit).to.equal(2);
  });

  it('takes its own list back: states, time left, type and firewall', async () => {
    launcher.configure({ firewalls: { edge: nowhere, inner: { ...nowhere, host: '192.0.2.251' } } });
    await importJson('203.0.113.7', ['--firewall', 'inner', '--for', 'forever']);
    await importJson('203.0.113.8', ['--firewall', 'edge', '--for', '2h']);
    const { stdout } = await launcher.firebreak(['list', '--json']);
    const other = makeLauncher({ edge: nowhere, inner: { ...nowhere, host: '192.0.2.251' } });
    try {
      const file = path.join(other.folder, 'list');
      writeFileSync(file, stdout);
      await other.firebreak(['freeze', 'test']);
      const { exit } = await other.firebreak(['import', file, '--no-wait', '--for', '1d']);
      expect(exit).to.equal(frozen);
      const again = JSON.parse((await other.firebreak(['list', '--json'])).stdout) as ImportDocument;
      const shown = again.blocks.map(({ source, firewall, expires_at: ends }) => ({
        source,
        firewall,
        hours: ends === null ? null : Math.round((Date.parse(ends) - Date.now()) / 3_600_000),
      }));
      expect(shown).to.have.deep.members([
        { source: '203.0.113.7', firewall: 'inner', hours: null },
        { source: '203.0.113.8', firewall: 'edge', hours: 2 },
      ]);
    } finally {
      other.remove();
    }
  });

  it('--column and --format decide where the content does not', async () => {
    const text = 'attacker,victim\n203.0.113.7,192.168.1.10';
    const { exit, answer } = await launcher.jsonError(['import', fileOf(text), ...target]);
    expect({ exit, names: /--column/.test(answer.error.message) }).to.deep.equal({ exit: 2, names: true });
    const { blocks } = await importJson(text, ['--column', 'attacker', '--format', 'csv']);
    expect(blocks.map(({ source }) => source)).to.deep.equal(['203.0.113.7']);
  });

  it('lets an alarm have the ledger in between, and needs little memory', async function () {
    this.timeout(400_000); // two hundred thousand statements, on a machine that may be busy
    launcher.configure({ policy: { limits: { per_minute: 100_000, active: 100_000 } } });
    const many = 20_000;
    const sources = Array.from({ length: many }, (_, at) => `203.0.${at >> 8}.${at & 255}`);
    const probe = `process.on('exit', () => console.error('peak', process.resourceUsage().maxRSS))`;
    const env = { NODE_OPTIONS: `--import ${toDataUrl(probe)}` };
    const call = launcher.start(['import', fileOf(sources.join('\n')), ...target], { env });
    const ledger = new DatabaseSync(path.join(launcher.stateDir, 'ledger.db'), { readOnly: true });
    try {
      const count = (): number => {
        const row = ledger.prepare('SELECT count(*) AS many FROM alarm').get() as { many: number };
        return row.many;
      };
      await waitUntil('the first entries are recorded', () => count() > 0);
      await launcher.firebreak(['block', '198.51.100.7', ...target]);
      expect(count()).to.be.below(many);
      const { exit, stderr } = await call.ended;
      expect(exit, stderr).to.equal(frozen);
      expect(Number(/peak (\d+)/.exec(stderr)?.[1])).to.be.within(1, 150 * 1024);
      expect(count()).to.equal(many + 1);
    } finally {
      ledger.close();
    }
  });
});
