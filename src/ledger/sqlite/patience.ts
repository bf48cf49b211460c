import { setTimeout as sleep } from 'node:timers/promises';
import { isBusy } from './sqlite-errors.js';

/** How long to wait for others that write, where nobody says. A thousand launchers at once take turns. */
export const usualPatienceMs = 60_000;

/** How long one call waits for others that write. */
export interface Patience {
  since: number;
  ms: number;
}

export const beginPatience = (ms: number): Patience => ({ since: performance.now(), ms });

/**
 * Tries until nobody else is at it, or patience ends. SQLite's own waiting blocks the process, and asks less often the
 * longer it lasts, so that newcomers overtake: of a thousand launchers a few waited for more than a minute. Here who
 * waits longer asks more often.
 */
export async function retryWhileBusy<T>({ since, ms }: Patience, work: () => T | Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const waitedMs = performance.now() - since;
      if (!isBusy(error) || waitedMs > ms) throw error;
      await sleep(((0.5 + Math.random()) * 50) / (1 + waitedMs / 5000));
    }
  }
}
