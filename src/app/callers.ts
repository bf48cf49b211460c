import type { Ledger } from '../ledger/ledger.js';

/** How long an address counts as a known sender before that is recorded again. */
const againMs = 3_600_000;

/** Records a sender of alarms for a process that takes many: each record is a write to the disk. */
export function makeCallerMemory(ledger: Ledger): (address: string) => Promise<void> {
  const recorded = new Map<string, number>();
  return async (address) => {
    const now = performance.now();
    if (now - (recorded.get(address) ?? -Infinity) < againMs) return;
    recorded.set(address, now);
    try {
      await ledger.recordCaller(address);
    } catch (error) {
      recorded.delete(address);
      throw error;
    }
  };
}
