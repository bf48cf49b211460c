import type { Config } from '../config/schema.js';
import type { SettledRun } from '../dispatch/drain-firewall.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Log } from '../runtime/logger.js';
import { tellFailures, tellSuccess } from './incidents.js';

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
  const preload = config.log.file === undefined ? undefined : setTimeout(() => void loadLogger(), preloadMs);
  return {
    onSettled: (settled) => {
      done = done.then(() => report(settled, config, ledger, tell));
    },
    close: () => {
      clearTimeout(preload);
      return done;
    },
  };
}

/** While Ansible is at work nobody waits for us: then its time is nobody's. */
const preloadMs = 300;
const loadLogger = () => import('../runtime/logger.js');

async function openLogger(config: Config, tell: (message: string) => void): Promise<Log | undefined> {
  return config.log.file === undefined ? undefined : (await loadLogger()).openLog(config.log, tell);
}

async function report(
  settled: SettledRun,
  config: Config,
  ledger: Ledger,
  tell: (message: string) => void,
): Promise<void> {
  const { firewall, blocks, run, folder = '', task } = settled;
  const log = await openLogger(config, tell);
  const failed = blocks.filter(({ trouble }) => trouble !== null);
  log?.info('run settled', { firewall, ...run, failed: failed.length });
  for (const { flow, ...block } of blocks)
    log?.info('block settled', { ...block, ...flow, block: block.id, run: run.id });
  const step = task === undefined ? undefined : { run: run.id, task };
  const setting = { firewall, config, ledger, tell };
  await tellFailures(setting, { hasFailed: failed.length > 0, record: folder, step });
  await tellSuccess(setting, blocks, run);
  if ((await ledger.findAddressChanges()).some(({ isTold }) => !isTold))
    await (await import('./addresses.js')).tellAddresses(setting);
  await log?.close();
}
