/** Callers that are remembered; the oldest are forgotten first. */
const maxCallers = 10_000;

/** A token bucket per caller: `perSecond` on average, twice as many at once. */
export interface RateLimit {
  /** @returns seconds to wait; 0 if the caller may go on */
  take(caller: string): number;
}

export function makeRateLimit(perSecond: number, clock: () => number = () => performance.now()): RateLimit {
  const buckets = new Map<string, { left: number; at: number }>();
  return {
    take: (caller) => {
      const now = clock();
      const known = buckets.get(caller) ?? { left: 2 * perSecond, at: now };
      const left = Math.min(2 * perSecond, known.left + ((now - known.at) / 1000) * perSecond);
      const isFree = left >= 1;
      buckets.delete(caller);
      buckets.set(caller, { left: isFree ? left - 1 : left, at: now });
      for (const [oldest] of buckets) {
        if (buckets.size <= maxCallers) break;
        buckets.delete(oldest);
      }
      return isFree ? 0 : Math.max(1, Math.ceil((1 - left) / perSecond));
    },
  };
}
