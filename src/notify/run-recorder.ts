import type { SettledRun } from '../dispatch/drain-firewall.js';
import { toRecord } from '../core/block-record.js';
import { isBypassed } from '../core/proof.js';
import type { App } from '../runtime/app.js';
import { notifyAddressChanges } from './addresses.js';
import { notifyBypassed } from './bypassed.js';
import { notifyFailures, notifySuccess } from './incidents.js';

/** Opens the log while Ansible is working, which costs no time. */
const preloadMs = 300;

export interface RunRecorder {
  onSettled: (settled: SettledRun) => void;
  /** Resolves when every run is recorded. */
  close: () => Promise<void>;
}

/** Logs settled runs, and queues messages when a firewall starts to fail, still fails or recovers. */
export function openRunRecorder(app: App): RunRecorder {
  app.catchSignals();
  let done = Promise.resolve();
  const hasLog = app.config.log.file !== undefined;
  const preload = hasLog ? setTimeout(() => void app.openLog(), preloadMs) : undefined;
  return {
    onSettled: (settled) => {
      done = done.then(() => recordRun(settled, app));
    },
    close: () => {
      clearTimeout(preload);
      return done;
    },
  };
}

async function recordRun(settled: SettledRun, app: App): Promise<void> {
  const { firewall, blocks, run, folder = '', task, way } = settled;
  const failed = blocks.filter(({ failure }) => failure !== null);
  if (app.config.log.file !== undefined) {
    const log = await app.openLog();
    log.info('run settled', { firewall, ...run, failed: failed.length, way });
    for (const block of blocks) {
      const { flow, ...facts } = toRecord(block);
      log.info('block settled', { ...facts, ...flow, block: block.id, run: run.id });
    }
  }
  const step = task === undefined ? undefined : { run: run.id, task };
  await notifyFailures(firewall, { hasFailed: failed.length > 0, record: folder, step }, app);
  await notifyBypassed({ firewall, hasBypassed: blocks.some(isBypassed) }, app);
  await notifySuccess(settled, app);
  await notifyAddressChanges(app);
}
