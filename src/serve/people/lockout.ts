/** Failures that lock, and for how long they count and lock. */
const maxFailures = 5;
const lockMs = 15 * 60_000;
/** Failures of one address, whatever the names: several people may share an address. */
const maxOfAddress = 25;
/** What is remembered; the oldest is forgotten first. */
const maxEntries = 10_000;

export interface Lock {
  address: string;
  /** Undefined: the address as a whole is locked. */
  name?: string;
}

export interface Lockout {
  isLocked(name: string, address: string): boolean;
  /** @returns the locks that this failure begins */
  fail(name: string, address: string): Lock[];
  /** Sets a lock that began some time ago, perhaps in a process before this one. */
  restore(lock: Lock, ageMs: number): void;
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
    fail: (name, address) => [
      ...(add(pair(name, address)) === maxFailures ? [{ name, address }] : []),
      ...(add(address) === maxOfAddress ? [{ address }] : []),
    ],
    restore: ({ name, address }, ageMs) => {
      const [key, many] = name === undefined ? [address, maxOfAddress] : [pair(name, address), maxFailures];
      failures.set(
        key,
        Array.from({ length: many }, () => clock() - Math.max(0, ageMs)),
      );
    },
    succeed: (name, address) => void failures.delete(pair(name, address)),
  };
}
