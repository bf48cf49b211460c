import { setTimeout as sleep } from 'node:timers/promises';
import { isBusy } from './sqlite-errors.js';

/** How long to wait for other writers by default: a thousand concurrent launchers take turns. */
export const usualPatienceMs = 60_000;

/** How long one call waits for other writers. */
export interface Patience {
  since: number;
  ms: number;
}

export const beginPatience = (ms: number): Patience => ({ since: performance.now(), ms });

/**
 * Retries until no other process is writing, or patience ends. SQLite's own waiting blocks the process, and retries
 * less often the longer it lasts, so newcomers overtake: of a thousand launchers a few waited for more than a minute.
 * Here the longest waiter retries most often.
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
