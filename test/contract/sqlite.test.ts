import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';
import { findBreaks, linkEntry } from '#firebreak/core/audit.js';
import { FirebreakError } from '#firebreak/core/errors.js';
import { findJump, readClock, times, type Reading } from '#firebreak/ledger/sqlite/clock.js';
import { checkOwnerHost } from '#firebreak/ledger/sqlite/owner-host.js';
import { migrations } from '#firebreak/ledger/sqlite/migrations/index.js';
import { openSqliteDatabase } from '#firebreak/ledger/sqlite/open-database.js';
import { listAuditFiles } from '#firebreak/ledger/sql/audit-file.js';
import { readLines } from '#firebreak/ledger/read-lines.js';
import { openLedger, type LedgerSettings } from '#firebreak/ledger/index.js';
import type { Ledger } from '#firebreak/ledger/ledger.js';
import { anAlarm } from '../fixtures.js';
import { readMessages } from '../lab/messages.js';
import { ledgerContract } from './ledger.js';

const hour = 3_600_000;
const folders: string[] = [];
const ledgers: Ledger[] = [];

function makeFile(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'ledger-'));
  folders.push(folder);
  return path.join(folder, 'ledger.db');
}

async function open(file: string, settings: Omit<LedgerSettings, 'file'> = {}): Promise<Ledger> {
  const ledger = await openLedger({ file, ...settings });
  ledgers.push(ledger);
  return ledger;
}

const alarm = anAlarm('A1', { durationMs: 24 * hour });

const failureOf = (work: Promise<unknown>): Promise<FirebreakError> =>
  work.then(
    () => expect.fail('it was expected to be refused'),
    (error: unknown) => error as FirebreakError, // what is expected below
  );

describe('SQLite', () => {
  afterEach(async () => {
    for (const ledger of ledgers.splice(0)) await ledger.close();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  ledgerContract('SQLite', () => {
    const file = makeFile();
    let wall = 1_760_000_000_000;
    return {
      open: () => open(file, { clock: () => ({ wall, uptime: wall, boot: 'one' }) }),
      messages: () => readMessages(file),
      advance: (ms) => {
        wall += ms;
      },
    };
  });

  it('is created once by many processes that open it at the same time, and each goes on', async () => {
    const code = `const { openLedger } = await import(${JSON.stringify(import.meta.resolve('#firebreak/ledger/index.js'))});
      const ledger = await openLedger({ file: process.argv[1] });
      await ledger.freeze('a reason', 'a test');
      await ledger.close();`;
    for (let round = 0; round < 3; round += 1) {
      const file = makeFile();
      const run = promisify(execFile);
      await Promise.all(
        Array.from({ length: 4 }, () => run(process.execPath, ['--input-type=module', '-e', code, file])),
      );
      expect(await (await open(file)).findFreeze()).to.include({ reason: 'a reason' });
    }
  }).timeout(60_000);

  describe('a holder that has ended', () => {
    it('is followed at once on the same host, however long its lease', async () => {
      const file = makeFile();
      await open(file);
      const code = `const { openLedger } = await import(${JSON.stringify(import.meta.resolve('#firebreak/ledger/index.js'))});
        const lease = await (await openLedger({ file: process.argv[1] })).acquireLease('edge', 'dead');
        process.stdout.write(lease.owner);`;
      const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code, file], { encoding: 'utf8' });
      expect(stdout).to.equal('dead');
      expect((await (await open(file)).acquireLease('edge', 'next'))?.fence).to.equal(2);
    });

    it('but one that was only about to be started is given its time', async () => {
      const file = makeFile();
      await (await open(file)).recordAlarms([alarm], { recheckMs: 0, owner: 'drainer', isHandedOver: true });
      expect(await (await open(file)).acquireLease('edge', 'next')).to.equal(undefined);
      expect(await (await open(file)).takeOverLease('edge', 'drainer')).to.not.equal(undefined);
    });
  });

  describe("the SQLite ledger's file", () => {
    it('is its owner’s alone', async () => {
      const file = makeFile();
      await open(file);
      expect(statSync(file).mode & 0o777).to.equal(0o600);
    });

    it('is written through to the disk, with a log ahead of it', async () => {
      const file = makeFile();
      await open(file);
      const database = new DatabaseSync(file);
      expect(database.prepare('PRAGMA journal_mode').get()).to.deep.equal({ journal_mode: 'wal' });
      database.close();
    });

    it('of a newer firebreak is refused and stays as it is', async () => {
      const file = makeFile();
      await (await open(file)).close();
      const database = new DatabaseSync(file);
      database.exec('PRAGMA user_version = 99');
      database.close();
      const error = await failureOf(openLedger({ file }));
      expect(error.code).to.equal('ledger_newer');
      expect(error.message).to.match(/version 99.*install the newer firebreak/);
    });

    it('that is damaged is refused with the way out, and never made anew', async () => {
      const file = makeFile();
      const damaged = 'this was a ledger once. '.repeat(400);
      writeFileSync(file, damaged);
      const error = await failureOf(openLedger({ file }));
      expect(error.code).to.equal('ledger_corrupt');
      expect(error.message).to.include('move it').and.include('firebreak reconcile');
      expect(readFileSync(file, 'utf8')).to.equal(damaged);
    });

    it('that cannot be made is told with its path', async () => {
      const file = makeFile();
      writeFileSync(file, '');
      const error = await failureOf(openLedger({ file: path.join(file, 'ledger.db') }));
      expect(error.code).to.equal('ledger_unwritable');
      expect(error.message).to.include(file);
    });

    it('is made once when many open it at the same time', async () => {
      const file = makeFile();
      const opened = await Promise.all(Array.from({ length: 8 }, () => open(file)));
      await Promise.all(
        opened.map((ledger, index) => ledger.recordAlarms([{ ...alarm, id: `A${index}` }], { recheckMs: 0 })),
      );
      expect((await opened[0]!.findBlocks({}))[0]!.alarms).to.equal(8);
    });
  });

  describe('while another process writes', () => {
    let file: string;
    let other: DatabaseSyncInstance;

    beforeEach(async () => {
      file = makeFile();
      await open(file);
      other = new DatabaseSync(file);
      other.exec('BEGIN IMMEDIATE');
    });
    afterEach(() => other.close());

    it('the event loop goes on, those who read are served, and those who write come after it', async () => {
      const ledger = await open(file);
      const order: string[] = [];
      const written = ledger.recordAlarms([alarm], { recheckMs: 0 }).then(() => order.push('written'));
      const ticking = setInterval(() => order.push('tick'), 10);
      expect(await ledger.findBlocks({})).to.deep.equal([]);
      await sleep(150);
      clearInterval(ticking);
      expect(order.length).to.be.greaterThan(5);
      expect(order).to.not.include('written');
      other.exec('ROLLBACK');
      await written;
      expect(await ledger.findBlocks({})).to.have.length(1);
    });

    it('for longer than patience lasts, each write is refused as busy, those that waited for one another too', async () => {
      const ledger = await open(file, { patienceMs: 200 });
      const writes = [1, 2, 3].map((each) => failureOf(ledger.freeze(`reason ${each}`, 'a test')));
      const codes = (await Promise.all(writes)).map(({ code }) => code);
      expect(codes).to.deep.equal(['ledger_busy', 'ledger_busy', 'ledger_busy']);
      other.exec('ROLLBACK');
      await ledger.freeze('now', 'a test');
      expect(await ledger.findFreeze()).to.include({ reason: 'now' });
    });

    it('an older ledger is opened after it, and the event loop goes on', async () => {
      const older = makeFile();
      const before = new DatabaseSync(older);
      before.exec(`PRAGMA journal_mode = WAL; ${migrations.slice(0, -1).join('')}`);
      before.exec(`PRAGMA user_version = ${migrations.length - 1}; BEGIN IMMEDIATE`);
      const order: string[] = [];
      const opening = open(older).then(() => order.push('opened'));
      const ticking = setInterval(() => order.push('tick'), 10);
      await sleep(150);
      clearInterval(ticking);
      expect(order.length).to.be.greaterThan(5);
      expect(order).to.not.include('opened');
      before.exec('ROLLBACK');
      before.close();
      await opening;
    });

    it('closing refuses what still waits', async () => {
      const ledger = await open(file);
      const refused = failureOf(ledger.freeze('a reason', 'a test'));
      await ledger.close();
      expect((await refused).message).to.equal('the ledger is closed');
    });
  });

  describe('tasks of one process', () => {
    it('write one after the other, whatever is done meanwhile', async () => {
      const ledger = await open(makeFile());
      const tasks = Array.from({ length: 20 }, async (_, index) => {
        await ledger.recordAlarms([{ ...alarm, id: `A${index}` }], { recheckMs: 0 });
        return ledger.findAlarms((await ledger.findBlocks({}))[0]!.id);
      });
      const seen = await Promise.all(tasks);
      expect((await ledger.findBlocks({}))[0]!.alarms).to.equal(20);
      expect(Math.max(...seen.map((alarms) => alarms.length))).to.equal(20);
    });

    it('see nothing of a transaction that is open, nor of one that was rolled back', async () => {
      const file = makeFile();
      const database = await openSqliteDatabase({ file, clock: readClock, patienceMs: 1000 });
      try {
        const freeze = "INSERT INTO freeze (one, at, by, reason) VALUES (1, 1, 'a test', 'a reason')";
        let goOn = (): void => undefined;
        const pause = new Promise<void>((resolve) => (goOn = resolve));
        const undone: string[] = [];
        const failed = failureOf(
          database.write(async (tx) => {
            tx.onRollback(() => undone.push('undone'));
            await tx.run(freeze);
            expect(await tx.all('SELECT by FROM freeze')).to.have.length(1);
            await pause;
            throw new Error('as it came');
          }),
        );
        const seen = database.all('SELECT by FROM freeze');
        const next = database.write(async (tx) => [...undone, await tx.run(freeze)]);
        await sleep(20);
        goOn();
        expect(await seen).to.deep.equal([]);
        expect((await failed).message).to.equal('as it came');
        expect(await next).to.deep.equal(['undone', 1]);
      } finally {
        await database.close();
      }
    });

    it('cannot use a transaction that has ended', async () => {
      const database = await openSqliteDatabase({ file: makeFile(), clock: readClock, patienceMs: 1000 });
      const late = await database.write((tx) => Promise.resolve(tx));
      expect((await failureOf(late.run('DELETE FROM freeze'))).message).to.equal('the transaction has ended');
      await database.close();
    });

    it('have their turn while much is recorded, read and forgotten', async () => {
      const ledger = await open(makeFile());
      const many = Array.from({ length: 2000 }, (_, index) => ({
        ...alarm,
        id: `A${index}`,
        blocks: [{ ...alarm.blocks[0]!, flow: { ...alarm.blocks[0]!.flow, port: String(index + 1) } }],
      }));
      let turns = 0;
      const others = setInterval(() => (turns += 1), 1);
      await ledger.recordAlarms(many, { recheckMs: 0 });
      expect(await ledger.release({}, 'a test')).to.have.length(2000);
      await ledger.expire({ heldMs: 0, keepAlarmsMs: -hour });
      expect(await ledger.findBlocks({})).to.deep.equal([]);
      clearInterval(others);
      expect(turns, 'turns of a timer').to.be.greaterThan(10);
    }).timeout(60_000);
  });

  describe('the audit log beside it', () => {
    const openAudited = (file: string, maxBytes?: number): Promise<Ledger> => {
      const folder = path.dirname(file);
      const audit = { file: path.join(folder, 'audit.jsonl'), keyFile: path.join(folder, 'audit.key'), maxBytes };
      return open(file, { audit });
    };
    const readLog = (file: string): string[] =>
      listAuditFiles(path.join(path.dirname(file), 'audit.jsonl')).flatMap((each) => [...readLines(each)]);
    const breaksOf = async (file: string, ledger: Ledger): Promise<string[]> => {
      const key = readFileSync(path.join(path.dirname(file), 'audit.key'));
      return findBreaks(readLog(file), await ledger.findAuditHead(), { key, isKeyed: true });
    };
    const eventsOf = (file: string): string[] =>
      readLog(file).map((line) => (JSON.parse(line) as { event: string }).event);

    it('names for each decision who made it', async () => {
      const file = makeFile();
      const ledger = await openAudited(file);
      await ledger.as('one').freeze('a reason', 'one');
      await ledger.as('another').unfreeze();
      const lines = readFileSync(path.join(path.dirname(file), 'audit.jsonl'), 'utf8')
        .trimEnd()
        .split('\n');
      expect(lines.map((line) => (JSON.parse(line) as { by: string }).by)).to.deep.equal(['one', 'another']);
    });

    it('holds no line of what was rolled back', async () => {
      const file = makeFile();
      const ledger = await openAudited(file);
      await ledger.freeze('first', 'a test');
      const log = path.join(path.dirname(file), 'audit.jsonl');
      const before = readFileSync(log, 'utf8');
      const raw = new DatabaseSync(file);
      raw.exec("CREATE TRIGGER full BEFORE UPDATE ON audit_head BEGIN SELECT RAISE(ABORT, 'as on a full disk'); END");
      await failureOf(ledger.recordAlarms([alarm], { recheckMs: 0 }));
      expect(readFileSync(log, 'utf8')).to.equal(before);
      expect(await ledger.findBlocks({})).to.deep.equal([]);
      raw.exec('DROP TRIGGER full');
      raw.close();
      await ledger.recordAlarms([alarm], { recheckMs: 0 });
      expect(await breaksOf(file, ledger)).to.deep.equal([]);
    });

    it('is repaired after a process died between the log and the ledger, and says so', async () => {
      const file = makeFile();
      const ledger = await openAudited(file);
      await ledger.freeze('first', 'a test');
      const folder = path.dirname(file);
      const dead = path.join(folder, 'dead.db');
      const raw = new DatabaseSync(file);
      raw.exec(`VACUUM INTO '${dead}'`); // as the ledger was before the commit that did not happen
      raw.close();
      await ledger.freeze('never recorded', 'a test');
      await ledger.unfreeze();
      await ledger.close();
      for (const name of ['', '-wal', '-shm']) rmSync(`${file}${name}`, { force: true });
      renameSync(dead, file);
      writeFileSync(path.join(folder, 'audit.jsonl'), '{"seq":', { flag: 'a' });
      const again = await openAudited(file);
      await again.freeze('second', 'a test');
      expect(await breaksOf(file, again)).to.deep.equal([]);
      expect(eventsOf(file)).to.deep.equal(['freeze', 'log repaired', 'freeze']);
      const [, repaired = ''] = readLog(file);
      expect(JSON.parse(repaired)).to.include({ reason: 'removed 3 lines of a change that was not recorded' });
    });

    it('keeps a line that nobody signed, for it is evidence', async () => {
      const file = makeFile();
      const ledger = await openAudited(file);
      await ledger.freeze('first', 'a test');
      writeFileSync(path.join(path.dirname(file), 'audit.jsonl'), 'forged\n', { flag: 'a' });
      await ledger.unfreeze();
      expect(await breaksOf(file, ledger)).to.deep.equal(['line 2 was changed or is not an entry']);
    });

    it('is set aside at its size, and the chain goes on in the next file', async () => {
      const file = makeFile();
      const ledger = await openAudited(file, 600);
      for (let count = 0; count < 8; count += 1) await ledger.freeze(`number ${count}`, 'a test');
      const files = listAuditFiles(path.join(path.dirname(file), 'audit.jsonl')).map((each) => path.basename(each));
      expect(files).to.deep.equal(['audit.jsonl.1', 'audit.jsonl.2', 'audit.jsonl.3', 'audit.jsonl']);
      expect(readLog(file)).to.have.length(8);
      expect(await breaksOf(file, ledger)).to.deep.equal([]);
    });

    it('is repaired where the process that set it aside died in the same change', async () => {
      const file = makeFile();
      const ledger = await openAudited(file, 100);
      await ledger.freeze('first', 'a test');
      const folder = path.dirname(file);
      const key = readFileSync(path.join(folder, 'audit.key'));
      const head = (await ledger.findAuditHead())!;
      renameSync(path.join(folder, 'audit.jsonl'), path.join(folder, 'audit.jsonl.1'));
      const { line } = linkEntry({ event: 'freeze' }, head, { at: 'now', key });
      writeFileSync(path.join(folder, 'audit.jsonl'), `${line}\n`);
      await ledger.unfreeze();
      expect(await breaksOf(file, ledger)).to.deep.equal([]);
      expect(eventsOf(file)).to.deep.equal(['freeze', 'log repaired', 'unfreeze']);
    });
  });

  describe('a ledger on a disk that two hosts share', () => {
    it('is refused by the second, which names both and says what to do if it was moved', async () => {
      const file = makeFile();
      await (await open(file)).close();
      const here = { id: 'a'.repeat(64), name: 'one' };
      writeFileSync(`${file}.host`, JSON.stringify(here));
      expect(() => checkOwnerHost(file, here)).to.not.throw();
      expect(() => checkOwnerHost(file, { id: 'b'.repeat(64), name: 'two' }))
        .to.throw(/belongs to host one, and this is host two; .*delete .*ledger\.db\.host/)
        .with.property('code', 'ledger_foreign');
      rmSync(`${file}.host`);
      expect(() => checkOwnerHost(file, { id: 'b'.repeat(64), name: 'two' })).to.not.throw();
      expect(() => checkOwnerHost(file, here)).to.throw(/belongs to host two/);
    });

    it('is refused when it is opened', async function () {
      if (!existsSync('/etc/machine-id') || readFileSync('/etc/machine-id', 'utf8').trim() === '') this.skip();
      const file = makeFile();
      writeFileSync(`${file}.host`, JSON.stringify({ id: 'a'.repeat(64), name: 'another' }));
      expect((await failureOf(open(file))).code).to.equal('ledger_foreign');
    });
  });

  describe('the clock', () => {
    const last: Reading = { wall: 1_000_000_000, uptime: 5_000_000, boot: 'one' };

    it('that goes on, or is corrected a little, is no jump', () => {
      expect(findJump(last, { wall: last.wall + hour, uptime: last.uptime + hour, boot: 'one' })).to.equal(0);
      expect(findJump(last, { wall: last.wall + hour + 900, uptime: last.uptime + hour, boot: 'one' })).to.equal(0);
    });

    it('that is set forward or back is a jump by as much', () => {
      expect(findJump(last, { wall: last.wall + 2500, uptime: last.uptime, boot: 'one' })).to.equal(2500);
      expect(findJump(last, { wall: last.wall + 9 * hour, uptime: last.uptime + hour, boot: 'one' })).to.equal(
        8 * hour,
      );
      expect(findJump(last, { wall: last.wall - 9 * hour, uptime: last.uptime + hour, boot: 'one' })).to.equal(
        -10 * hour,
      );
    });

    it('after a boot can have gone on for any time, but not back', () => {
      expect(findJump(last, { wall: last.wall + 99 * hour, uptime: 100, boot: 'two' })).to.equal(0);
      expect(findJump(last, { wall: last.wall - 5 * hour, uptime: 100, boot: 'two' })).to.equal(-5 * hour);
    });

    it('shifts every time of every table', async () => {
      const file = makeFile();
      await open(file);
      const database = new DatabaseSync(file, { readOnly: true });
      const found = database
        .prepare(
          `SELECT m.name AS "table", c.name AS "column" FROM sqlite_master m, pragma_table_info(m.name) c
           WHERE m.type = 'table' AND (c.name LIKE '%\\_at' ESCAPE '\\' OR c.name IN ('at', 'until', 'held_until', 'notice_for', 'failing_since'))`,
        )
        .all() as { table: string; column: string }[];
      database.close();
      const shifted = Object.entries(times).flatMap(([table, columns]) =>
        columns.map((column) => `${table}.${column}`),
      );
      expect(found.map(({ table, column }) => `${table}.${column}`)).to.have.members(shifted);
    });

    it('that is set by a few seconds again and again moves no end, and each step is reported', async () => {
      let reading = { ...last };
      const steps: number[] = [];
      const clock = () => reading;
      const ledger = await open(makeFile(), { clock, onClockSet: (ms) => void steps.push(ms) });
      await ledger.recordAlarms([alarm], { recheckMs: 0 });
      for (let count = 0; count < 30; count += 1) {
        reading = { ...reading, wall: reading.wall + 30_000 };
        await ledger.expire({ heldMs: hour, keepAlarmsMs: hour });
      }
      const [block] = await ledger.findBlocks({});
      expect(block!.expiresAt! - (await ledger.now())).to.equal(24 * hour);
      expect(steps).to.deep.equal(Array.from({ length: 30 }, () => 30_000));
    });

    const limits = { heldMs: hour, keepAlarmsMs: 365 * 24 * hour };

    for (const [title, jump] of [
      ['ten years ahead', 10 * 365 * 24 * hour],
      ['to 1970', -1_700_000_000_000],
    ] as const) {
      it(`set ${title} releases nothing early, and nothing late`, async () => {
        let reading: Reading = { wall: 1_760_000_000_000, uptime: hour, boot: 'one' };
        const ledger = await open(makeFile(), { clock: () => reading });
        await ledger.recordAlarms([alarm], { recheckMs: 0 });
        reading = { wall: reading.wall + jump, uptime: reading.uptime + 1, boot: 'one' };
        expect(await ledger.expire(limits)).to.deep.equal([]);
        reading = { wall: reading.wall + 24 * hour - 2, uptime: reading.uptime + 24 * hour - 2, boot: 'one' };
        expect(await ledger.expire(limits)).to.deep.equal([]);
        reading = { wall: reading.wall - jump, uptime: reading.uptime + 1, boot: 'one' };
        expect(await ledger.expire(limits)).to.have.length(1);
      });
    }
  });
});
