import type { SettledRun } from '../dispatch/drain-firewall.js';
import type { App } from '../runtime/app.js';
import { tellFailures, tellSuccess } from './incidents.js';

/** While Ansible is at work nobody waits for us: the log is loaded then, since loading takes longer than writing. */
const preloadMs = 300;

/** Gives the work a function that logs each settled run and queues its notifications; resolves when all is recorded. */
export async function withNotifier<T>(
  app: App,
  work: (onSettled: (settled: SettledRun) => void) => Promise<T>,
): Promise<T> {
  app.catchSignals();
  let done = Promise.resolve();
  const preload = app.config.log.file === undefined ? undefined : setTimeout(() => void app.openLog(), preloadMs);
  try {
    return await work((settled) => {
      done = done.then(() => recordRun(settled, app));
    });
  } finally {
    clearTimeout(preload);
    await done;
  }
}

async function recordRun(settled: SettledRun, app: App): Promise<void> {
  const { firewall, blocks, run, folder = '', task } = settled;
  const { config, ledger, warn: tell } = app;
  const log = config.log.file === undefined ? undefined : await app.openLog();
  const failed = blocks.filter(({ trouble }) => trouble !== null);
  log?.info('run settled', { firewall, ...run, failed: failed.length });
  for (const { flow, ...block } of blocks)
    log?.info('block settled', { ...block, ...flow, block: block.id, run: run.id });
  const step = task === undefined ? undefined : { run: run.id, task };
  const setting = { firewall, config, ledger, tell };
  await tellFailures(setting, { hasFailed: failed.length > 0, record: folder, step });
  await tellSuccess(setting, blocks, run);
  if ((await ledger.findAddressChanges()).some(({ isTold }) => !isTold))
    await (await import('./addresses.js')).tellAddresses(app);
}
