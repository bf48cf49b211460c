import type { Block } from '../../core/block.js';
import { describeFlow } from '../../core/describe-flow.js';
import { formatLocal } from '../../core/local-time.js';
import { clip, count } from './mail-words.js';
import type { AlarmRecord } from '../../ledger/ledger.js';

/** More blocks than these are counted, not listed. */
export const mostListed = 20;

/** The alarms that asked for a block, by its id. */
export type AlarmsOf = ReadonlyMap<string, readonly AlarmRecord[]>;

/** One block as a mail lists it. */
export interface MailBlock {
  id: string;
  what: string;
  /** Firewall, tracker and id. */
  where: string;
  /** How often, and since when. */
  asked: string;
  /** What the SIEM said of the last alarms: `event-id=1a2b, risk=7`. */
  siem: string[];
  /** Empty where they say nothing: why it is not as wanted, what comes next, how long it stands. */
  reason: string;
  next: string;
  until: string;
}

/** What a SIEM may tell of one alarm, at most. */
const mostAlarms = 3;

export const toMailBlock = (block: Block, alarms: readonly AlarmRecord[] = []): MailBlock => ({
  id: block.id,
  what: describeFlow(block.flow),
  where: `${block.firewall}, tracker ${block.tracker}, block ${block.id}`,
  asked: `by ${count(block.alarms, 'alarm')}, first at ${formatLocal(block.createdAt)}`,
  siem: alarms
    .map(({ context }) => Object.entries(context))
    .filter((facts) => facts.length > 0)
    .slice(-mostAlarms)
    .map((facts) => clip(facts.map(([name, value]) => `${name} ${value}`).join(', '))),
  reason: clip(block.reason ?? ''),
  next: '',
  until: '',
});

/** A number, what it counts, and what there is to say of it. */
export interface Figure {
  name: string;
  value: number;
  remark: string;
}

/** An address, and in how many blocks and alarms it was met. */
export interface Met {
  address: string;
  blocks: number;
  alarms: number;
}

/** Who is met most as the source or the destination of blocks. */
export function countTop(blocks: readonly Block[], end: 'source' | 'destination', most = 10): Met[] {
  const counts = new Map<string, Met>();
  for (const { flow, alarms } of blocks) {
    const address = flow[end];
    const met = counts.get(address) ?? { address, blocks: 0, alarms: 0 };
    counts.set(address, { address, blocks: met.blocks + 1, alarms: met.alarms + alarms });
  }
  return [...counts.values()]
    .sort((one, other) => other.blocks - one.blocks || (one.address < other.address ? -1 : 1))
    .slice(0, most);
}
