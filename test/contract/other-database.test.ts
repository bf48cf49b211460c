import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { Ledger } from '#firebreak/ledger/ledger.js';
import type { Database, Row, Statements, Transaction, Value } from '#firebreak/ledger/sql/database.js';
import { makeSqlLedger } from '#firebreak/ledger/sql/sql-ledger.js';
import { openSqliteDatabase } from '#firebreak/ledger/sqlite/open-database.js';
import { readMessages } from '../lab/messages.js';
import { ledgerContract } from './ledger.js';

/** As over a wire: a statement takes a turn of the event loop, and rows are copies made of text. */
const travel = async <T>(answer: Promise<T>): Promise<T> => {
  await turn();
  return JSON.parse(JSON.stringify(await answer)) as T;
};

const remoteStatements = (near: Statements): Statements => ({
  run: (sql: string, ...values: Value[]) => travel(near.run(sql, ...values)),
  all: (sql: string, ...values: Value[]) => travel<Row[]>(near.all(sql, ...values)),
  now: () => travel(near.now()),
});

/** A database of a throw-away kind: the six methods that a new ledger implements, and nothing else. */
const remoteDatabase = (near: Database): Database => ({
  ...remoteStatements(near),
  write: (work) =>
    near.write((transaction: Transaction) =>
      work({ ...remoteStatements(transaction), onRollback: (undo) => transaction.onRollback(undo) }),
    ),
  waitForChange: (timeoutMs) => near.waitForChange(timeoutMs),
  close: () => near.close(),
});

describe('a ledger on another database', () => {
  const folders: string[] = [];
  const ledgers: Ledger[] = [];

  afterEach(async () => {
    for (const ledger of ledgers.splice(0)) await ledger.close();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  ledgerContract('six methods over a wire', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'other-'));
    folders.push(folder);
    const file = path.join(folder, 'ledger.db');
    let wall = 1_760_000_000_000;
    return {
      open: async () => {
        const clock = () => ({ wall, uptime: wall, boot: 'one' });
        const ledger = makeSqlLedger(remoteDatabase(await openSqliteDatabase({ file, clock, patienceMs: 60_000 })));
        ledgers.push(ledger);
        return ledger;
      },
      messages: () => readMessages(file),
      advance: (ms) => {
        wall += ms;
      },
    };
  });
});
