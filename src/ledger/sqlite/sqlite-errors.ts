import { dirname } from 'node:path';
import { describeError } from '../../core/describe.js';
import { FirebreakError } from '../../core/errors.js';
import { findDiskProblem } from '../disk-problem.js';

/** SQLite's primary result codes (sqlite.org, "Result and Error Codes"). */
const codes = { busy: 5, readonly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const;

/** The driver's errors have a result code, but for those of a row that is read from an iterator. */
const codeOfMessage: ReadonlyMap<string, number> = new Map([
  ['database is locked', codes.busy],
  ['attempt to write a readonly database', codes.readonly],
  ['disk I/O error', codes.ioError],
  ['database disk image is malformed', codes.corrupt],
  ['database or disk is full', codes.full],
  ['unable to open database file', codes.cannotOpen],
  ['file is not a database', codes.notADatabase],
]);

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode & 0xff;
  return codeOfMessage.get(error.message);
}

/** Another process is writing: the statement was not run, and can be retried. */
export const isBusy = (error: unknown): boolean => resultCode(error) === codes.busy;

export const newerLedger = (file: string, version: number, known: number): FirebreakError =>
  new FirebreakError(
    'ledger_newer',
    `${file}: the ledger has version ${version}, this firebreak supports ${known}; install the newer firebreak again`,
  );

/** Explains errors of the ledger's file, its disk or concurrent use; returns any other error unchanged. */
export function explainSqliteError(error: unknown, file: string, patienceMs: number): unknown {
  if (error instanceof FirebreakError) return error;
  const options = { cause: error };
  const code = resultCode(error);
  if (code === codes.corrupt || code === codes.notADatabase) {
    return new FirebreakError(
      'ledger_corrupt',
      `${file}: the ledger is damaged; move it away together with its -wal and -shm files, then restore a backup, or start with an empty ledger and run firebreak reconcile`,
      options,
    );
  }
  if (code === codes.busy) {
    const waited = `${patienceMs / 1000} s`;
    const message = `${file}: other processes have been writing to the ledger for more than ${waited}; nothing was recorded, call again`;
    return new FirebreakError('ledger_busy', message, options);
  }
  const why = code === undefined ? undefined : diskProblems.get(code);
  if (why !== undefined) return unwritable(file, findDiskProblem(file, dirname(file)) ?? why, options);
  return isFileError(error) ? unwritable(file, describeError(error), options) : error;
}

const diskProblems = new Map<number, string>([
  [codes.full, 'no space left on the disk'],
  [codes.readonly, 'the file or its file system is read-only'],
  [codes.cannotOpen, 'cannot be opened or created'],
  [codes.ioError, 'the disk reports an error'],
]);

const isFileError = (error: unknown): boolean => error instanceof Error && 'syscall' in error;

const unwritable = (file: string, why: string, options: { cause: unknown }): FirebreakError =>
  new FirebreakError(
    'ledger_unwritable',
    `${file}: the ledger cannot be written (${why}); run firebreak doctor to check its folder and disk`,
    options,
  );
