import { join } from 'node:path';
import { loadConfig } from '../config/load.js';
import { locateConfig } from '../config/locate.js';
import type { Config } from '../config/schema.js';
import type { Parts } from '../dispatch/carry.js';
import type { Ledger } from '../ledger/ledger.js';
import { openSqliteLedger } from '../ledger/sqlite.js';
import { watchSignals } from '../runtime/shutdown.js';
import { openReporter } from './reporter.js';
import type { CommandContext } from './result.js';

/** What a command works with that reads or changes what stands. */
export interface OpenLedger extends Pick<Parts, 'config' | 'ledger'> {
  configFile: string;
}

export const openLedger = (config: Config): Ledger => openSqliteLedger(join(config.state_dir, 'ledger.db'));

/**
 * Opens configuration and ledger, and closes it when the work has ended.
 * @throws FirebreakError of the configuration or the ledger
 */
export async function withLedger<T>(context: CommandContext, work: (open: OpenLedger) => Promise<T>): Promise<T> {
  const configFile = locateConfig(context.configFile);
  const config = loadConfig(configFile);
  const ledger = openLedger(config);
  try {
    return await work({ config, ledger, configFile });
  } finally {
    ledger.close();
  }
}

/** The rest of what a run takes: signals, and somebody who logs and mails. */
export async function withParts<T>(
  { config, ledger }: Pick<Parts, 'config' | 'ledger'>,
  context: CommandContext,
  work: (parts: Parts) => Promise<T>,
): Promise<T> {
  const signals = watchSignals();
  const reporter = openReporter(config, ledger, context.tell);
  try {
    return await work({ config, ledger, stop: signals.stop, onSettled: reporter.onSettled });
  } finally {
    await reporter.close();
    signals.release();
  }
}
