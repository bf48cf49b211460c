import { openDatabase } from './database.js';

/**
 * Reads all of the ledger, and tells its damage in SQLite's words; empty where it is sound.
 * @throws FirebreakError as openDatabase
 */
export function checkIntegrity(file: string): string[] {
  const database = openDatabase(file);
  try {
    return database
      .all('PRAGMA integrity_check(5)')
      .map((row) => String(row['integrity_check']).replace(/\s+/g, ' '))
      .filter((line) => line !== 'ok');
  } finally {
    database.close();
  }
}
