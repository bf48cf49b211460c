import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import winston from 'winston';
import type { Config } from '../config/schema.js';
import { describeError } from '../core/describe.js';

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
 * Opens the log file as JSON lines, one event a line; a log that cannot be opened must not stop a block.
 * @param complain is told why where the log cannot be written
 */
export function openLog({ file, level }: Config['log'], complain: (message: string) => void): Log {
  if (file === undefined) return silent;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o750 });
    if (!existsSync(file)) writeFileSync(file, '', { mode: 0o640 });
    else chmodSync(file, 0o640);
  } catch (error) {
    complain(`log.file: cannot write ${file}: ${describeError(error)}; going on without a log`);
    return silent;
  }
  const transport = new winston.transports.File({ filename: file });
  transport.on('error', (error) => complain(`log.file: cannot write ${file}: ${describeError(error)}`));
  const format = winston.format.combine(winston.format.timestamp(), winston.format.json());
  const logger = winston.createLogger({ level, format }).add(transport);
  return {
    info: (message, facts = {}) => void logger.info(message, facts),
    warn: (message, facts = {}) => void logger.warn(message, facts),
    error: (message, facts = {}) => void logger.error(message, facts),
    close: () =>
      new Promise((resolve) => {
        transport.once('finish', resolve);
        transport.once('error', () => resolve());
        logger.end();
      }),
  };
}
