import { readClock } from './clock.js';
import { openSqliteDatabase } from './open-database.js';
import { usualPatienceMs } from './patience.js';

/**
 * Reads all of the ledger, and tells its damage in SQLite's words; empty where it is sound.
 * @throws FirebreakError as openSqliteDatabase
 */
export async function checkIntegrity(file: string): Promise<string[]> {
  const database = await openSqliteDatabase({ file, clock: readClock, patienceMs: usualPatienceMs });
  try {
    return (await database.all('PRAGMA integrity_check(5)'))
      .map((row) => String(row['integrity_check']).replace(/\s+/g, ' '))
      .filter((line) => line !== 'ok');
  } finally {
    await database.close();
  }
}
