import { closeSync, fchmodSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { Writable } from 'node:stream';
import winston from 'winston';
import type { Config } from '../config/schema.js';
import { describeError } from '../core/describe.js';
import { toPrintable } from '../core/printable.js';
import { rotate } from './rotate.js';

export interface Log {
  info(message: string, facts?: object): void;
  warn(message: string, facts?: object): void;
  error(message: string, facts?: object): void;
  /** Resolves when every line is written. winston loses them at exit otherwise. */
  close(): Promise<void>;
}

const nothing = (): void => undefined;
const silent: Log = { info: nothing, warn: nothing, error: nothing, close: () => Promise.resolve() };

/**
 * Opens the log file, one event per line, as JSON or text; rotates it first if it is too large or too old. A log
 * that cannot be written must not stop a block.
 * @param complain called with the reason if the log cannot be written
 * @param recordLost called at the end with the number of lines that were lost, if any
 */
export function openLog(
  settings: Config['log'],
  complain: (message: string) => void,
  recordLost: (count: number) => void = nothing,
): Log {
  const { file, level } = settings;
  if (file === undefined) return silent;
  const lines = settings.format === 'json' ? winston.format.json() : winston.format.printf(toText);
  const format = winston.format.combine(winston.format.timestamp(), lines);
  const sink = openLines(tryToOpen(file, settings, complain), {
    complain: (error) => complain(`log.file: cannot write ${file}: ${describeError(error)}; continuing without it`),
    recordLost,
  });
  const logger = winston.createLogger({ level, format }).add(new winston.transports.Stream({ stream: sink }));
  return {
    info: (message, facts = {}) => void logger.info(message, facts),
    warn: (message, facts = {}) => void logger.warn(message, facts),
    error: (message, facts = {}) => void logger.error(message, facts),
    close: () =>
      new Promise((resolve) => {
        sink.once('close', resolve);
        logger.once('finish', () => sink.end());
        logger.end();
      }),
  };
}

/** @returns undefined if the file cannot be opened: each of its lines is then lost */
function tryToOpen(file: string, settings: Config['log'], complain: (message: string) => void): number | undefined {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o750 });
    tryToRotate(file, settings, complain);
    const opened = openSync(file, 'a', 0o640);
    fchmodSync(opened, 0o640);
    return opened;
  } catch (error) {
    complain(`log.file: cannot write ${file}: ${describeError(error)}; continuing without a log`);
    return undefined;
  }
}

interface Losses {
  /** Called once, with the first error. */
  complain: (error: unknown) => void;
  recordLost: (count: number) => void;
}

/** Writes each line as it arrives, in one call. A full or missing disk costs only the line, which is counted. */
function openLines(opened: number | undefined, { complain, recordLost }: Losses): Writable {
  let lost = 0;
  return new Writable({
    decodeStrings: false,
    write: (line: string, _encoding, done) => {
      try {
        if (opened === undefined) lost += 1;
        else writeWhole(opened, line);
      } catch (error) {
        if (lost === 0) complain(error);
        lost += 1;
      }
      done();
    },
    final: (done) => {
      if (lost > 0) recordLost(lost);
      if (opened !== undefined) closeSync(opened);
      done();
    },
  });
}

/** A nearly full disk writes only part of it; only the returned length shows that. */
function writeWhole(file: number, text: string): void {
  const bytes = Buffer.from(text);
  const written = writeSync(file, bytes);
  if (written < bytes.length) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
}

/** If a file cannot be rotated, for example in a folder that is not ours, writing continues. */
function tryToRotate(file: string, settings: Config['log'], complain: (message: string) => void): void {
  try {
    rotate(file, toLimits(settings), Date.now());
  } catch (error) {
    if (isNoFolder(error)) return; // opening it reports this
    complain(`log.file: cannot rotate ${file}: ${describeError(error)}; it will grow further`);
  }
}

const isNoFolder = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOTDIR';

const toLimits = ({ max_megabytes, max_age, keep }: Config['log']) => ({
  maxBytes: max_megabytes * 1024 * 1024,
  maxAgeMs: max_age,
  keep,
});

/** `2026-03-14T03:12:45.000Z info run settled firewall=edge batch=1`: one line, whatever a fact contains. */
function toText({ level, message, timestamp, ...facts }: winston.Logform.TransformableInfo): string {
  const fields = Object.entries(facts).map(([name, value]) => `${name}=${toField(value)}`);
  return toPrintable(
    [timestamp, level, message, ...fields]
      .join(' ')
      .split('\n')
      .map((line) => line.trim())
      .join(' '),
  );
}

const toField = (value: unknown): string =>
  typeof value === 'string' && /^[\w.:/-]+$/.test(value) ? value : JSON.stringify(value);
