import { describeError } from '../../core/describe.js';
import { FirebreakError } from '../../core/errors.js';

/** SQLite's primary result codes (sqlite.org, "Result and Error Codes"). */
const codes = { busy: 5, readonly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const;

function resultCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

/** Others are at it: the statement was not run, and may be tried again. */
export const isBusy = (error: unknown): boolean => resultCode(error) === codes.busy;

export const newerLedger = (file: string, version: number, known: number): FirebreakError =>
  new FirebreakError(
    'ledger_newer',
    `${file}: the ledger has version ${version}, this firebreak knows ${known}: install the newer firebreak again`,
  );

/** The error in plain words, where it tells of the ledger's file, its disk or those who use it; otherwise as it is. */
export function explainSqliteError(error: unknown, file: string, patienceMs: number): unknown {
  if (error instanceof FirebreakError) return error;
  const options = { cause: error };
  const code = resultCode(error);
  if (code === codes.corrupt || code === codes.notADatabase) {
    return new FirebreakError(
      'ledger_corrupt',
      `${file}: the ledger is damaged and was left as it is: move it and its -wal and -shm files away and put a backup in its place, or go on with a new one and run: firebreak reconcile`,
      options,
    );
  }
  if (code === codes.busy) {
    const waited = `${patienceMs / 1000} s`;
    const message = `${file}: others write to the ledger for longer than ${waited}; not kept, call again`;
    return new FirebreakError('ledger_busy', message, options);
  }
  const why = code === undefined ? undefined : diskProblems.get(code);
  if (why !== undefined) return unwritable(file, why, options);
  return isFileError(error) ? unwritable(file, describeError(error), options) : error;
}

const diskProblems = new Map<number, string>([
  [codes.full, 'no space left on the disk'],
  [codes.readonly, 'the file or its file system is read-only'],
  [codes.cannotOpen, 'cannot be opened or made'],
  [codes.ioError, 'the disk reports an error'],
]);

const isFileError = (error: unknown): boolean => error instanceof Error && 'syscall' in error;

const unwritable = (file: string, why: string, options: { cause: unknown }): FirebreakError =>
  new FirebreakError(
    'ledger_unwritable',
    `${file}: the ledger cannot be written: ${why}; firebreak doctor looks at its folder and disk`,
    options,
  );
