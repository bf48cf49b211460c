import type { Config } from '../config/schema.js';
import type { SettledRun } from '../dispatch/carry.js';
import type { Ledger } from '../ledger/ledger.js';
import { tellFailures } from './incidents.js';

export interface Reporter {
  onSettled: (settled: SettledRun) => void;
  /** Resolves when all is logged, and kept to be mailed. */
  close: () => Promise<void>;
}

/**
 * Logs every run, and puts a mail into the outbox where a firewall begins to fail, goes on failing, or is well again.
 * Log and mail are loaded when there is something to say: they take longer to import than a run takes to start.
 */
export function openReporter(config: Config, ledger: Ledger, tell: (message: string) => void): Reporter {
  let done = Promise.resolve();
  return {
    onSettled: (settled) => {
      done = done.then(() => report(settled, config, ledger, tell));
    },
    close: () => done,
  };
}

async function report(
  settled: SettledRun,
  config: Config,
  ledger: Ledger,
  tell: (message: string) => void,
): Promise<void> {
  const { firewall, blocks, run, folder } = settled;
  const { openLog } = await import('../runtime/logger.js');
  const log = openLog(config.log, tell);
  const failed = blocks.filter(({ trouble }) => trouble !== null);
  log.info('run settled', { firewall, ...run, failed: failed.length });
  for (const { flow, ...block } of blocks)
    log.info('block settled', { ...block, ...flow, block: block.id, run: run.id });
  await tellFailures({ firewall, config, ledger }, { hasFailed: failed.length > 0, record: folder ?? '' });
  await log.close();
}
