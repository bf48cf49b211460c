import { setTimeout as pause } from 'node:timers/promises';
import { FirebreakError } from '../core/errors.js';
import type { App } from '../runtime/app.js';
import { drain, type Drained } from './drain.js';
import { reconcile } from './reconcile.js';

/** As the timers of systemd: `drain` at every turn, `expire` each minute; and the firewalls compared each hour. */
const turnMs = 15_000;
const turnsToExpire = 4;
const turnsToReconcile = 240;

/** Does in the foreground what the timers do, until a signal stops it. @param tell is called with what was applied */
export async function runForeground(app: App, tell: (drained: Drained) => void): Promise<void> {
  app.catchSignals();
  const isStopped = (): boolean => app.stop.aborted;
  for (let turn = 0; !isStopped(); turn += 1) {
    await attempt(app, async () => tell(await drain({ expire: turn % turnsToExpire === 0 }, app)));
    if (turn % turnsToReconcile === turnsToReconcile - 1 && !isStopped()) {
      await attempt(app, () => reconcile({ fix: false, firewalls: [] }, app));
    }
    await pause(turnMs, undefined, { signal: app.stop }).catch(() => undefined); // stopped: the loop ends
  }
}

/** A ledger that is busy, or a disk that is full, may be better at the next turn. */
async function attempt(app: App, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof FirebreakError)) throw error;
    app.warn(error.message);
  }
}
