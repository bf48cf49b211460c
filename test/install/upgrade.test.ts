import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';
import { expect } from 'chai';
import { parse } from 'yaml';
import { openLedger } from '#firebreak/ledger/index.js';
import { migrations } from '#firebreak/ledger/sqlite/migrations/index.js';
import { makeLauncher, type AnswerBlock, type Launcher } from '../lab/launcher.js';
import { packageRoot } from '../lab/package-root.js';

const hour = 3_600_000;

/** What a release said of its own ledger. */
interface Said {
  readonly list: { readonly blocks: readonly AnswerBlock[] };
  readonly shown: readonly (AnswerBlock & { readonly record: string | null; readonly history: readonly object[] })[];
}

type Row = Record<string, string | number | null>;

const samples = path.join(packageRoot, 'test/samples');
const releases = readdirSync(samples).filter((name) => name.startsWith('release-'));

for (const release of releases) {
  describe(`an upgrade from ${release.replace('-', ' ')}`, function () {
    this.timeout(120_000);
    const at = (name: string): string => path.join(samples, release, name);
    const said = JSON.parse(readFileSync(at('said.json'), 'utf8')) as Said; // list and show of that release
    const ledger = gunzipSync(readFileSync(at('ledger.db.gz')));
    const releasedStep = ledger.readUInt32BE(60); // user_version (sqlite.org, "Database File Format")
    let launcher: Launcher;
    let ledgerFile: string;

    beforeEach(() => {
      launcher = makeLauncher({ edge: { host: '192.0.2.1' } });
      mkdirSync(launcher.stateDir, { mode: 0o700 });
      ledgerFile = path.join(launcher.stateDir, 'ledger.db');
      writeFileSync(ledgerFile, ledger, { mode: 0o600 });
      copyFileSync(at('audit.jsonl'), path.join(launcher.stateDir, 'audit.jsonl'));
      for (const { record } of said.shown) {
        if (record !== null)
          mkdirSync(path.join(launcher.stateDir, 'runs', path.basename(record)), { recursive: true });
      }
    });

    afterEach(() => launcher.remove());

    function withDatabase<T>(file: string, work: (database: DatabaseSyncInstance) => T): T {
      const database = new DatabaseSync(file);
      try {
        return work(database);
      } finally {
        database.close();
      }
    }

    const readVersion = (file: string): number =>
      withDatabase(
        file,
        (database) => (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version,
      );

    /** What the present program says, with the place of that release's state folder. */
    async function ask(...words: string[]): Promise<unknown> {
      const { exit, stdout, stderr } = await launcher.firebreak([...words, '--json']);
      expect({ exit, stderr }).to.deep.equal({ exit: 0, stderr: '' });
      return JSON.parse(stdout.replaceAll(launcher.stateDir, '/var/lib/firebreak'));
    }

    it('finds a ledger that has something in every state', () => {
      const states = said.list.blocks.map(({ state }) => state);
      for (const state of ['active', 'pending', 'releasing', 'released', 'refused', 'held']) {
        expect(states).to.include(state);
      }
    });

    it('finds each block, with its lifetime, reason and every alarm, as that release told them', async () => {
      const { blocks } = (await ask('list', '--state', 'all')) as Said['list'];
      expect(blocks).to.have.length(said.list.blocks.length);
      expect(blocks).to.containSubset(said.list.blocks);
      for (const shown of said.shown) {
        const now = (await ask('show', shown.id)) as typeof shown;
        expect(now).to.containSubset(shown);
        expect(now.history).to.have.length(shown.history.length);
      }
      expect(readVersion(ledgerFile)).to.equal(migrations.length);
    });

    it('finds the chain of decisions whole', async () => {
      const { exit, stdout } = await launcher.firebreak(['audit', '--verify']);
      expect(exit).to.equal(0);
      expect(stdout).to.match(/^\d+ entries: intact/m);
    });

    it('goes on with what was begun: a new alarm joins its block, and each block ends at its time', async () => {
      const [first] = said.list.blocks;
      let wall = Date.parse(first!.created_at) + hour;
      const clock = () => ({ wall, uptime: wall, boot: 'after the upgrade' });
      const ledger = await openLedger({ file: ledgerFile, clock });
      try {
        const flow = { type: 'block', interface: 'wan', ipprotocol: 'inet', protocol: 'tcp', port: '22' } as const;
        const block = {
          firewall: 'edge',
          description: 'again',
          durationMs: 24 * hour,
          flow: { ...flow, source: first!.source, destination: first!.destination },
        };
        const alarm = { id: 'NEW', origin: 'a test', context: {}, blocks: [block] };
        await ledger.recordAlarms([alarm], { recheckMs: hour });
        const found = (await ledger.findBlocks({})).find(({ id }) => id === first!.id);
        expect(found).to.include({ alarms: first!.alarms + 1, state: 'active' });
        const ended = async (): Promise<string[]> => {
          const limits = { heldMs: 1000 * 24 * hour, keepAlarmsMs: 1000 * 24 * hour };
          return (await ledger.expire(limits)).map(({ id }) => id);
        };
        expect(await ended()).to.deep.equal([]);
        wall += 6 * 24 * hour;
        expect(await ended()).to.include(first!.id);
        const week = said.list.blocks.find(({ source }) => source === '2001:db8::7')!;
        wall += 2 * 24 * hour;
        expect(await ended()).to.deep.equal([week.id]);
        wall += 365 * 24 * hour;
        expect(await ended()).to.deep.equal([]);
        const forever = (await ledger.findBlocks({})).filter(({ state }) => state === 'active');
        expect(forever.map(({ id }) => id)).to.deep.equal(
          said.list.blocks
            .filter(({ expires_at, state }) => expires_at === null && state === 'active')
            .map(({ id }) => id),
        );
      } finally {
        await ledger.close();
      }
    });

    it('changes no step of the schema that was released', () => {
      const read = (database: DatabaseSyncInstance): unknown =>
        database
          .prepare(
            "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name",
          )
          .all();
      expect(readVersion(ledgerFile)).to.equal(releasedStep);
      const steps = migrations.slice(0, releasedStep);
      const made = withDatabase(':memory:', (database) => {
        for (const step of steps) database.exec(step);
        return read(database);
      });
      expect(made).to.deep.equal(withDatabase(ledgerFile, read));
    });

    /** The same rows in a ledger of an earlier step, as far as it had a place for them. */
    function stepBack(version: number): void {
      const later = `${ledgerFile}.later`;
      copyFileSync(ledgerFile, later);
      rmSync(ledgerFile);
      withDatabase(ledgerFile, (database) => {
        for (const step of migrations.slice(0, version)) database.exec(step);
        database.exec(`PRAGMA user_version = ${version}; ATTACH '${later}' AS later`);
        const names = (sql: string): string[] => (database.prepare(sql).all() as Row[]).map(({ name }) => String(name));
        for (const table of names("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")) {
          const columns = names(`SELECT name FROM pragma_table_info('${table}')`).join(', ');
          database.exec(`INSERT INTO ${table} (${columns}) SELECT ${columns} FROM later.${table}`);
        }
        database.exec('DETACH later');
      });
      rmSync(later);
    }

    for (let version = 1; version <= releasedStep; version += 1) {
      it(`brings a ledger of step ${version} up to date, with all its blocks and alarms`, async () => {
        stepBack(version);
        expect(readVersion(ledgerFile)).to.equal(version);
        const { blocks } = (await ask('list', '--state', 'all')) as Said['list'];
        expect(blocks).to.have.length(said.list.blocks.length);
        expect(blocks).to.containSubset(said.list.blocks);
        for (const shown of said.shown) expect(await ask('show', shown.id)).to.containSubset(shown);
        expect(readVersion(ledgerFile)).to.equal(migrations.length);
        const check = withDatabase(ledgerFile, (database): unknown => database.prepare('PRAGMA integrity_check').get());
        expect(check).to.deep.equal({ integrity_check: 'ok' });
      });
    }

    describe('understands its configuration:', () => {
      let folder: string;

      beforeEach(() => {
        folder = mkdtempSync(path.join(tmpdir(), 'etc-'));
        mkdirSync(path.join(folder, 'keys'));
        mkdirSync(path.join(folder, 'templates'));
        for (const name of ['keys/edge', 'become', 'password', 'mail', 'known_hosts']) {
          writeFileSync(path.join(folder, name), 'secret\n', { mode: 0o600 });
        }
      });

      afterEach(() => rmSync(folder, { recursive: true }));

      for (const name of readdirSync(path.join(samples, release)).filter((one) => one.endsWith('.yml'))) {
        it(name, async () => {
          const text = readFileSync(at(name), 'utf8').replaceAll('/etc/firebreak', folder);
          const file = path.join(folder, 'firebreak.yml');
          writeFileSync(file, text, { mode: 0o600 });
          expect(await ask('config', '--config', file)).to.containSubset(parse(text) as object);
        });
      }
    });
  });
}
