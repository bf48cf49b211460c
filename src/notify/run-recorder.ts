import type { SettledRun } from '../dispatch/drain-firewall.js';
import type { Log } from '../runtime/logger.js';
import { notifyAddressChanges } from './addresses.js';
import type { NotifyContext } from './channel.js';
import { notifyFailures, notifySuccess } from './incidents.js';

export interface RunRecorder {
  onSettled: (settled: SettledRun) => void;
  /** Resolves when every run is logged and its messages are in the outbox. */
  close: () => Promise<void>;
}

/**
 * Logs every run, and queues messages when a firewall begins to fail, still fails, or recovers.
 * The log is loaded only when there is something to write: that takes longer than starting a run.
 */
export function openRunRecorder(context: NotifyContext): RunRecorder {
  let done = Promise.resolve();
  const preload = context.config.log.file === undefined ? undefined : setTimeout(() => void loadLogger(), preloadMs);
  return {
    onSettled: (settled) => {
      done = done.then(() => recordRun(settled, context));
    },
    close: () => {
      clearTimeout(preload);
      return done;
    },
  };
}

/** Loading the log while Ansible is working delays no one. */
const preloadMs = 300;
const loadLogger = () => import('../runtime/logger.js');

async function openLogger({ config, warn }: NotifyContext): Promise<Log | undefined> {
  return config.log.file === undefined ? undefined : (await loadLogger()).openLog(config.log, warn);
}

async function recordRun(settled: SettledRun, context: NotifyContext): Promise<void> {
  const { firewall, blocks, run, folder = '', task } = settled;
  const log = await openLogger(context);
  const failed = blocks.filter(({ trouble }) => trouble !== null);
  log?.info('run settled', { firewall, ...run, failed: failed.length });
  for (const { flow, ...block } of blocks)
    log?.info('block settled', { ...block, ...flow, block: block.id, run: run.id });
  const step = task === undefined ? undefined : { run: run.id, task };
  await notifyFailures(firewall, { hasFailed: failed.length > 0, record: folder, step }, context);
  await notifySuccess(settled, context);
  await notifyAddressChanges(context);
  await log?.close();
}
