import type { BlockRequest, RecordOptions } from '../ledger.js';
import { countRows, type Statements, type Value } from './database.js';

/** What the limits are compared with: counted once in a transaction, and then by what it adds itself. */
export class Counts {
  private readonly known = new Map<string, number>();

  /** @param count asks the ledger, where nobody has yet */
  async get(key: string, count: () => Promise<number>): Promise<number> {
    const known = this.known.get(key) ?? (await count());
    this.known.set(key, known);
    return known;
  }

  /** One more than was counted; what was not counted is still to be, and finds it. */
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
 * The sentence that holds a block, when more come than anybody has reviewed; undefined where there is room. A share of
 * each limit is left for alarms of high risk and for sources that alarmed before.
 */
export async function exceededLimit(
  db: Statements,
  request: BlockRequest,
  { risk, hasAlarmed, options: { limits }, counts, now }: Limited,
): Promise<string | undefined> {
  if (limits === undefined) return undefined;
  const { firewall, flow } = request;
  const { perMinute, active, perDestination = Infinity, reserved = 0, highRisk = Infinity } = limits;
  const isFirst = hasAlarmed || risk >= highRisk;
  const open = (limit: number): number => (isFirst ? limit : limit - Math.floor((limit * reserved) / 100));
  const isOver = async (limit: number, key: string, query: readonly [string, ...Value[]]): Promise<boolean> =>
    limit !== Infinity && (await counts.get(key, () => countRows(db, ...query))) >= open(limit);
  const alarms = 'SELECT count(*) AS many FROM alarm WHERE received_at > ? AND counted = 1';
  if (await isOver(perMinute, perMinuteKey, [alarms, now - 60_000]))
    return `held: more than ${open(perMinute)} alarms of new blocks in a minute (policy.limits.per_minute)`;
  const enforced = `SELECT count(*) AS many FROM block
    WHERE wanted = 'present' AND state IN ('pending', 'active', 'failed') AND firewall = ?`;
  const [inAll, towards] = keysOf(request);
  if (await isOver(active, inAll, [enforced, firewall]))
    return `held: ${open(active)} blocks stand on ${firewall} already (policy.limits.active)`;
  if (await isOver(perDestination, towards, [`${enforced} AND destination = ?`, firewall, flow.destination]))
    return `held: ${open(perDestination)} blocks towards ${flow.destination} stand already (policy.limits.per_destination)`;
  return undefined;
}
