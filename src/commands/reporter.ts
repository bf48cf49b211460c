import { ulid } from 'ulid';
import type { Config } from '../config/schema.js';
import type { SettledRun } from '../dispatch/carry.js';
import type { Ledger } from '../ledger/ledger.js';

export interface Reporter {
  onSettled: (settled: SettledRun) => void;
  /** Resolves when all is logged, and kept to be mailed. */
  close: () => Promise<void>;
}

/**
 * Logs every run, and puts a mail into the outbox for those that failed: once for a firewall, while it goes on failing.
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
  if (failed.length > 0 && config.mail !== undefined && (await isNews(settled, ledger))) {
    const { renderFailureMail } = await import('../report/mail.js');
    await ledger.queueMessage({ id: ulid(), kind: 'failure', content: { ...renderFailureMail(failed, folder ?? '') } });
  }
  await log.close();
}

/** The first failure of a firewall is mailed, and each block that is given up; not every try of a firewall that is away. */
async function isNews({ firewall, blocks }: SettledRun, ledger: Ledger): Promise<boolean> {
  if (blocks.some(({ state }) => state === 'failed')) return true;
  if (blocks.some(({ failures }) => failures > 1)) return false;
  const ours = new Set(blocks.map(({ id }) => id));
  const open = await ledger.findBlocks({ firewalls: [firewall], states: ['pending', 'releasing'] });
  return !open.some(({ id, failures }) => failures > 0 && !ours.has(id));
}
