import { hostname } from 'node:os';
import { join } from 'node:path';
import { locateConfig } from '../config/locate.js';
import type { Config } from '../config/schema.js';
import { findOrigin } from '../intake/origin.js';
import { openLedger as openAnyLedger } from '../ledger/index.js';
import type { Ledger } from '../ledger/ledger.js';
import type { App, Host, Screen } from '../runtime/app.js';
import { openConfig } from '../runtime/become-owner.js';
import type { Log } from '../runtime/logger.js';
import { lostLinesFile, recordLostLines } from '../runtime/lost-lines.js';
import { findListWarnings } from '../runtime/protected-copies.js';
import { prepareStop } from '../runtime/shutdown.js';
import { count } from '../views/count.js';

/** The caller of a use case: today the command line. */
export interface Caller {
  /** As given on the command line; undefined searches the default places. */
  configFile: string | undefined;
  warn: (message: string) => void;
  screen: Screen;
}

/** Runs the work with its configuration and this host, and closes what the work opened. */
export async function withHost<T>(caller: Caller, work: (host: Host) => Promise<T>): Promise<T> {
  const actor = findOrigin(); // before root continues as another account
  const configFile = locateConfig(caller.configFile);
  const config = openConfig(configFile);
  for (const warning of findListWarnings(config)) caller.warn(warning);
  const signals = prepareStop();
  let log: Promise<Log> | undefined;
  const openLog = (): Promise<Log> =>
    (log ??= import('../runtime/logger.js').then((logger) =>
      logger.openLog(config.log, caller.warn, (lost) => keepCount(lost, config, caller)),
    ));
  try {
    return await work({
      config,
      configFile,
      actor,
      host: hostname(),
      program: process.argv[1] ?? '',
      warn: caller.warn,
      screen: caller.screen,
      openLog,
      stop: signals.stop,
      catchSignals: signals.catchSignals,
    });
  } finally {
    signals.release();
    if (log !== undefined) await (await log).close();
  }
}

/** For doctor; where that is not possible, for the caller. */
function keepCount(lost: number, { log, state_dir: stateDir }: Config, { warn }: Caller): void {
  if (!recordLostLines(lostLinesFile(stateDir), lost))
    warn(`log.file: could not write ${count(lost, 'line')} to ${log.file ?? ''}`);
}

/** The same with the ledger, which is closed at the end. @throws FirebreakError also ledger_* */
export const withApp = <T>(caller: Caller, work: (app: App) => Promise<T>): Promise<T> =>
  withLedger(caller, work, false);

/** The same for work that only reads: it also runs on a disk that is read-only or full. */
export const withReader = <T>(caller: Caller, work: (app: App) => Promise<T>): Promise<T> =>
  withLedger(caller, work, true);

const withLedger = <T>(caller: Caller, work: (app: App) => Promise<T>, isReader: boolean): Promise<T> =>
  withHost(caller, async (host) => {
    const ledger = await openLedger(host, isReader);
    try {
      return await work({ ...host, ledger });
    } finally {
      await ledger.close();
    }
  });

/** Opens the ledger, with the actor that the audit log records. @throws FirebreakError ledger_* */
export async function openLedger(
  { config, actor, openLog }: Pick<Host, 'config' | 'actor' | 'openLog'>,
  isReader = false,
): Promise<Ledger> {
  const ledger = await openAnyLedger({
    file: join(config.state_dir, 'ledger.db'),
    audit: { file: auditFileOf(config), keyFile: auditKeyOf(config) },
    patienceMs: config.dispatch.patience,
    isReader,
    onClockSet: (ms) => void openLog().then((log) => log.warn('clock set', { ms })),
  });
  return ledger.as(actor);
}

/** Every decision, one per line. */
export const auditFileOf = (config: Config): string => join(config.state_dir, 'audit.jsonl');

/** The key that signs the audit log. */
export const auditKeyOf = (config: Config): string => join(config.state_dir, 'audit.key');
