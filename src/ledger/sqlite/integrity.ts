import { readClock } from './clock.js';
import { openSqliteDatabase } from './open-database.js';
import { usualPatienceMs } from './patience.js';

/**
 * Checks the whole ledger. @returns SQLite's descriptions of any damage; empty if there is none
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
