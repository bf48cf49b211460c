import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { DatabaseSync } from '@photostructure/sqlite';
import type { Ledger } from '#firebreak/ledger/ledger.js';
import type { Database, Statements, Transaction, Value } from '#firebreak/ledger/sql/database.js';
import { makeSqlLedger } from '#firebreak/ledger/sql/sql-ledger.js';
import { openSqliteDatabase } from '#firebreak/ledger/sqlite/open-database.js';
import { aFlow, anAlarm } from '../fixtures.js';

const hour = 3_600_000;

/** Tables that grow with the number of blocks and alarms. Blocks in force are counted in their index, without the table. */
const scanOfLargeTable = /SCAN (?:block|alarm|alarm_block|outcome|outbox|run|drift)\b(?! USING INDEX block_enforced)/;

describe('the ledger reads no large table from end to end', () => {
  let folder: string;
  let file: string;
  let ledger: Ledger;
  const asked = new Map<string, Value[]>();

  const note = (sql: string, values: Value[]): void => void asked.set(sql, values);

  const recorded = (from: Statements): Statements => ({
    run: (sql: string, ...values: Value[]) => (note(sql, values), from.run(sql, ...values)),
    all: (sql: string, ...values: Value[]) => (note(sql, values), from.all(sql, ...values)),
    now: () => from.now(),
  });

  const recordedDatabase = (database: Database): Database => ({
    ...database,
    ...recorded(database),
    write: (work) =>
      database.write((tx: Transaction) => work({ ...recorded(tx), onRollback: (undo) => tx.onRollback(undo) })),
  });

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'plans-'));
    file = path.join(folder, 'ledger.db');
    const clock = () => ({ wall: 1_760_000_000_000, uptime: 0, boot: 'one' });
    ledger = makeSqlLedger(recordedDatabase(await openSqliteDatabase({ file, clock, patienceMs: 1000 })));
    await record('A1', '203.0.113.1');
    asked.clear();
  });

  afterEach(async () => {
    await ledger.close();
    rmSync(folder, { recursive: true });
  });

  const limits = { perMinute: 1000, active: 1000, perDestination: 1000, reserved: 10, highRisk: 8 };

  const record = (id: string, source: string) =>
    ledger.recordAlarms([{ ...anAlarm(id, { flow: aFlow({ source }) }), context: { 'event-id': 'E1' } }], {
      recheckMs: 60_000,
      sameEventMs: hour,
      limits,
      owner: id,
    });

  /** The steps of the recorded statements that read a large table as a whole. */
  function findScans(): string[] {
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      return [...asked].flatMap(([sql, values]) => {
        const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values) as { detail: string }[];
        return plan.filter(({ detail }) => scanOfLargeTable.test(detail)).map(({ detail }) => `${detail}: ${sql}`);
      });
    } finally {
      database.close();
    }
  }

  const readAll = async (pages: AsyncIterable<string[]>): Promise<void> => {
    for await (const page of pages) expect(page).to.be.an('array');
  };

  const works: [string, () => Promise<unknown>][] = [
    ['to record a new alarm', () => record('A2', '203.0.113.2')],
    ['to record an alarm again', () => record('A2', '203.0.113.1')],
    ['to expire', () => ledger.expire({ heldMs: hour, keepAlarmsMs: 24 * hour })],
    ['to find long blocks that end', () => ledger.findEnding(24 * hour)],
    ['for the figures of a storm', () => ledger.loadStats()],
    ['to find what is due', () => ledger.findWork('edge')],
    ['to find what is to be sent', () => ledger.claimMessages('S1', 1000)],
    ['for what was learned', () => ledger.findSeen()],
    ['for a page of sources', () => readAll(ledger.readSources({ states: ['active'], firewalls: ['edge'] }))],
    ['for one block', () => ledger.findBlocks({ ids: ['B1'] })],
  ];
  for (const [purpose, work] of works)
    it(purpose, async () => {
      await work();
      expect(asked.size).to.be.greaterThan(0);
      expect(findScans()).to.deep.equal([]);
    });

  it('and this test would see it', async () => {
    await ledger.countBlocks({ idEnding: '1' });
    expect(findScans()).to.have.length(1);
  });
});
