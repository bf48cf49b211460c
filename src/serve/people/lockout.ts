/** Failures that lock, and for how long they count and lock. */
const maxFailures = 5;
const lockMs = 15 * 60_000;
/** Failures of one address, whatever the names: several people may share an address. */
const maxOfAddress = 25;
/** What is remembered; the oldest is forgotten first. */
const maxEntries = 10_000;

export interface Lockout {
  isLocked(name: string, address: string): boolean;
  /** @returns whether this failure locks the name for this address */
  fail(name: string, address: string): boolean;
  succeed(name: string, address: string): void;
}

/** Locks a name for an address after five failed logins within 15 minutes, and an address after many of any names. */
export function makeLockout(clock: () => number = () => performance.now()): Lockout {
  const failures = new Map<string, number[]>();
  const recent = (key: string): number[] => (failures.get(key) ?? []).filter((at) => at > clock() - lockMs);
  const pair = (name: string, address: string): string => `${address} ${name}`;
  const add = (key: string): number => {
    const all = [...recent(key), clock()];
    failures.delete(key);
    failures.set(key, all);
    const [oldest] = failures.keys();
    if (failures.size > maxEntries && oldest !== undefined) failures.delete(oldest);
    return all.length;
  };
  return {
    isLocked: (name, address) =>
      recent(pair(name, address)).length >= maxFailures || recent(address).length >= maxOfAddress,
    fail: (name, address) => [add(pair(name, address)) === maxFailures, add(address) === maxOfAddress].some(Boolean),
    succeed: (name, address) => void failures.delete(pair(name, address)),
  };
}
