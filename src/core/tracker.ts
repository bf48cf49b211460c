import { createHash } from 'node:crypto';
import type { Flow } from './flow.js';

/** Our trackers are above every clock-made one until 2033 and below 2^31. */
export const trackerBand = { from: 2_000_000_000, size: 147_483_648 } as const;

/**
 * The number that identifies a flow on the firewall; the playbooks depend on it.
 * @param attempt 0, or the next number while that tracker belongs to another flow
 */
export function computeTracker(flow: Flow, attempt = 0): number {
  const { type, interface: name, ipprotocol, protocol, source, destination, port } = flow;
  const identity = [type, name, ipprotocol, protocol, source, destination, port, attempt].join('|');
  const head = createHash('sha256').update(identity).digest().readBigUInt64BE(0);
  return trackerBand.from + Number(head % BigInt(trackerBand.size));
}
