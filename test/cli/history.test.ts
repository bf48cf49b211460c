import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { expect } from 'chai';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { makeLauncher, settingsOf, toDataUrl, type Ended, type Launcher } from '../lab/launcher.js';

const many = 200_000;
const long = process.env['FIREBREAK_LONG'] === undefined ? it.skip : it;
const megabyte = 1024; // maxRSS is in kilobytes

describe(`a ledger with ${many} blocks`, function () {
  this.timeout(300_000);
  let edge: Firewall;
  let launcher: Launcher;

  before(async () => {
    edge = await startFirewall();
    launcher = makeLauncher({ edge: settingsOf(edge) });
    await launcher.firebreak(['block', '203.0.113.7', '192.168.1.10', '22']);
    addHistory(path.join(launcher.stateDir, 'ledger.db'));
  });

  after(async () => {
    launcher.remove();
    await edge.stop();
  });

  /** Copies the one block, as released ones of other sources. */
  function addHistory(file: string): void {
    const database = new DatabaseSync(file);
    const columns = database
      .prepare('PRAGMA table_info(block)')
      .all()
      .map((row) => String((row as { name: unknown }).name))
      .filter((name) => name !== 'seq');
    const values = columns.map((name) => {
      if (name === 'id') return "printf('01K%023d', n)";
      if (name === 'source') return "printf('10.%d.%d.%d', n / 65536, n / 256 % 256, n % 256)";
      if (name === 'tracker') return '2100000000 + n';
      return name === 'state' ? "'released'" : `block.${name}`;
    });
    database.exec(
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${many})
       INSERT INTO block (${columns.join(', ')}) SELECT ${values.join(', ')} FROM numbers, (SELECT * FROM block LIMIT 1) AS block`,
    );
    database.close();
  }

  /** Runs a command, and measures the most memory it used. */
  async function measure(args: readonly string[]): Promise<Ended & { megabytes: number }> {
    const file = path.join(launcher.folder, 'usage');
    const preload = `
      import { writeFileSync } from 'node:fs';
      process.on('exit', () => writeFileSync(${JSON.stringify(file)}, String(process.resourceUsage().maxRSS)));`;
    const ended = await launcher.firebreak(args, { env: { NODE_OPTIONS: `--import ${toDataUrl(preload)}` } });
    return { ...ended, megabytes: Number(readFileSync(file, 'utf8')) / megabyte };
  }

  for (const [format, test] of [
    ['--json', it],
    ['--csv', long],
  ] as const)
    test(`is listed within 120 MB: ${format}`, async () => {
      const { exit, stdout, megabytes } = await measure(['list', '--state', 'all', format]);
      expect(exit).to.equal(0);
      const listed =
        format === '--json'
          ? (JSON.parse(stdout) as { blocks: unknown[] }).blocks.length
          : stdout.trimEnd().split('\n').length - 1;
      expect(listed).to.equal(many + 1);
      expect(megabytes).to.be.below(120);
    });

  long('is listed within 120 MB: as a table', async () => {
    const { stdout, megabytes } = await measure(['list', '--state', 'all']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).to.have.length(many + 2);
    expect(lines[0]).to.match(/^STATE +SOURCE +DESTINATION +SINCE/);
    expect(new Set(lines.slice(1).map((line) => line.indexOf('192.168.1.10')))).to.have.length(1);
    expect(megabytes).to.be.below(120);
  });

  it('is reconciled within 120 MB', async () => {
    const { exit, stderr, megabytes } = await measure(['reconcile', '--json']);
    expect({ exit, stderr }).to.deep.equal({ exit: 0, stderr: '' });
    expect(megabytes).to.be.below(120);
  });
});
