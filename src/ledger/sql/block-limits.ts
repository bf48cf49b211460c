import type { BlockRequest, RecordOptions } from '../ledger.js';
import { countRows, type Statements, type Value } from './database.js';

/** The numbers that the limits apply to: counted once per transaction, then raised by what the transaction adds. */
export class Counts {
  private readonly known = new Map<string, number>();

  /** @param count queries the ledger, the first time */
  async get(key: string, count: () => Promise<number>): Promise<number> {
    const known = this.known.get(key) ?? (await count());
    this.known.set(key, known);
    return known;
  }

  /** Adds one to what was counted; a later count includes it anyway. */
  add(...keys: string[]): void {
    for (const key of keys) {
      const known = this.known.get(key);
      if (known !== undefined) this.known.set(key, known + 1);
    }
  }
}

export const perMinuteKey = 'alarms';
export const keysOf = ({ firewall, flow }: BlockRequest): [string, string] => [
  `on ${firewall}`,
  `on ${firewall} towards ${flow.destination}`,
];

export interface Limited {
  risk: number;
  /** Whether the source alarmed before. */
  hasAlarmed: boolean;
  options: RecordOptions;
  counts: Counts;
  now: number;
}

/**
 * The limit that a new block exceeds, as a sentence; undefined if there is room. A share of
 * each limit is reserved for alarms of high risk and for sources that alarmed before.
 */
export async function exceededLimit(
  db: Statements,
  request: BlockRequest,
  { risk, hasAlarmed, options: { limits }, counts, now }: Limited,
): Promise<string | undefined> {
  if (limits === undefined) return undefined;
  const { firewall, flow } = request;
  const { perMinute, active, perDestination = Infinity, reserved = 0, highRisk = Infinity } = limits;
  const isPreferred = hasAlarmed || risk >= highRisk;
  const allowed = (limit: number): number => (isPreferred ? limit : limit - Math.floor((limit * reserved) / 100));
  const isOver = async (limit: number, key: string, query: readonly [string, ...Value[]]): Promise<boolean> =>
    limit !== Infinity && (await counts.get(key, () => countRows(db, ...query))) >= allowed(limit);
  const alarms = 'SELECT count(*) AS many FROM alarm WHERE received_at > ? AND counted = 1';
  if (await isOver(perMinute, perMinuteKey, [alarms, now - 60_000]))
    return `held: more new blocks than policy.limits.per_minute allows in a minute: ${allowed(perMinute)}`;
  const enforced = `SELECT count(*) AS many FROM block
    WHERE wanted = 'present' AND state IN ('pending', 'active', 'failed') AND firewall = ?`;
  const [inAll, towards] = keysOf(request);
  if (await isOver(active, inAll, [enforced, firewall]))
    return `held: ${firewall} has as many blocks as policy.limits.active allows: ${allowed(active)}`;
  if (await isOver(perDestination, towards, [`${enforced} AND destination = ?`, firewall, flow.destination]))
    return `held: there are as many blocks towards ${flow.destination} as policy.limits.per_destination allows: ${allowed(perDestination)}`;
  return undefined;
}
