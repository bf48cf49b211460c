import { shortId, type Block } from '../../core/block.js';
import { describeFlow } from '../../core/describe-flow.js';
import type { AlarmsByBlock } from '../../core/event.js';
import { formatWithUtc } from '../../core/local-time.js';
import { count } from '../../views/count.js';
import { warningOf } from '../../views/warning.js';
import { clip } from './subject.js';

/** One block as a mail lists it. */
export interface MailBlock {
  id: string;
  what: string;
  /** Firewall, tracker and id. */
  where: string;
  /** By how many alarms, and since when. */
  asked: string;
  /** The SIEM's data of the last alarms: `event-id 1a2b, risk 7`. */
  siem: string[];
  /** Why it is not in force and proven, what comes next, and when it expires; each may be empty. */
  reason: string;
  next: string;
  until: string;
}

/** Further alarms of a block are left out. */
const maxAlarms = 3;

export const toMailBlock = (block: Block, alarms: AlarmsByBlock): MailBlock => ({
  id: block.id,
  what: describeFlow(block.flow),
  where: `${block.firewall}, tracker ${block.tracker}, block ${shortId(block)}`,
  asked: `by ${count(block.alarms, 'alarm')}, first at ${formatWithUtc(block.createdAt)}`,
  siem: (alarms.get(block.id) ?? [])
    .map(({ context }) => Object.entries(context))
    .filter((facts) => facts.length > 0)
    .slice(-maxAlarms)
    .map((facts) => clip(facts.map(([name, value]) => `${name} ${value}`).join(', '))),
  reason: clip(block.reason ?? warningOf(block) ?? ''),
  next: '',
  until: '',
});

/** A number, what it counts, and a remark. */
export interface Figure {
  name: string;
  value: number;
  remark: string;
}
