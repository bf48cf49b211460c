import { ulid } from 'ulid';
import { drainFirewall } from '../dispatch/drain-firewall.js';
import { FirebreakError } from '../core/errors.js';
import { openRunRecorder } from '../notify/run-recorder.js';
import type { App } from '../runtime/app.js';

/** Applies what is due in this process, in the background; each firewall independently of the others. */
export interface Applier {
  /** Applies what is due on these firewalls, soon: what arrives during a run is applied by the next one. */
  kick(firewalls: Iterable<string>): void;
  /** Resolves when no run of this applier is in progress. */
  finish(): Promise<void>;
}

export function makeApplier(app: App): Applier {
  const running = new Map<string, Promise<void>>();
  const again = new Set<string>();
  const work = async (firewall: string): Promise<void> => {
    do {
      again.delete(firewall);
      await applyFirewall(firewall, app);
    } while (again.has(firewall) && !app.stop.aborted);
    running.delete(firewall);
  };
  const kickOne = (firewall: string): void => {
    if (running.has(firewall)) again.add(firewall);
    else if (!app.stop.aborted) running.set(firewall, work(firewall));
  };
  return {
    kick: (firewalls) => {
      for (const firewall of new Set(firewalls)) kickOne(firewall);
    },
    finish: async () => {
      await Promise.all(running.values());
    },
  };
}

/** If another process holds the lease, that one applies what is due. A failure is retried with what runs periodically. */
async function applyFirewall(firewall: string, app: App): Promise<void> {
  try {
    const lease = await app.ledger.acquireLease(firewall, ulid());
    if (lease === undefined) return;
    const { onSettled, close } = openRunRecorder(app);
    await drainFirewall(lease, app, { onSettled }).finally(close);
  } catch (error) {
    app.warn(error instanceof FirebreakError ? error.message : `${firewall}: ${String(error)}`);
  }
}
