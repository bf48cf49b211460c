import type { Parts } from '../dispatch/drain-firewall.js';
import { watchSignals } from '../runtime/shutdown.js';
import { startProgress } from './progress.js';
import { openRunRecorder } from '../notify/run-recorder.js';
import type { CommandContext } from './result.js';

/** The rest of what a run takes: signals, and what logs and mails. */
export async function withParts<T>(
  { config, ledger }: Pick<Parts, 'config' | 'ledger'>,
  context: CommandContext,
  work: (parts: Parts) => Promise<T>,
): Promise<T> {
  const signals = watchSignals();
  const recorder = openRunRecorder({ config, ledger, warn: context.tell });
  const progress = startProgress();
  try {
    const { watch, wait } = progress;
    return await work({ config, ledger, stop: signals.stop, onSettled: recorder.onSettled, watch, wait });
  } finally {
    progress.close();
    await recorder.close();
    signals.release();
  }
}
