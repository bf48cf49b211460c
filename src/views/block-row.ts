import { isOver, shortId, type Block } from '../core/block.js';
import { formatSpan } from '../core/duration.js';
import { unreachable } from '../core/errors.js';
import { formatWithUtc } from '../core/local-time.js';
import { toPrintable } from '../core/printable.js';
import { isBypassed } from '../core/proof.js';
import { describePackets } from './packets.js';
import { warningOf } from './warning.js';

export type Tone = 'good' | 'bad' | 'wait' | 'calm';

/** A state as a page shows it: by a word, a shape and a colour, never by the colour alone. */
export interface StateMark {
  word: string;
  shape: string;
  tone: Tone;
  /** A run is to change it. */
  isMoving: boolean;
}

const mark = (word: string, shape: string, tone: Tone): StateMark => ({ word, shape, tone, isMoving: false });
const moving = (word: string): StateMark => ({ word, shape: '', tone: 'calm', isMoving: true });

export function markOf(block: Block): StateMark {
  const { state, failure, proof } = block;
  switch (state) {
    case 'held':
      return mark('held', '❚❚', 'wait');
    case 'pending':
      return failure === null ? moving('applying') : mark('failing', '▲', 'bad');
    case 'releasing':
      return failure === null ? moving('releasing') : mark('release failing', '▲', 'bad');
    case 'active':
      if (isBypassed(block)) return mark('bypassed', '▲', 'bad');
      return proof === 'listed' ? mark('in force, unproven', '◐', 'wait') : mark('in force', '●', 'good');
    case 'observed':
      return mark('observed', '○', 'calm');
    case 'failed':
      return mark('failed', '✕', 'bad');
    case 'released':
      return mark('released', '○', 'calm');
    case 'refused':
      return mark('refused', '⊘', 'calm');
    default:
      return unreachable(state);
  }
}

const toSentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** What the proof is worth, in a sentence; empty if there is nothing to say. */
export function sentenceOfProof(block: Block): string {
  const { state, proof, proofMessage } = block;
  if (state !== 'active') return '';
  if (proof === null) return 'Proven by an earlier release, which did not record what the proof is worth.';
  const warning = warningOf(block);
  if (warning !== null) return toSentence(warning);
  return ['Proven: pf drops these packets by this rule', proofMessage].filter(Boolean).join(' ');
}

/** A time for people: how far away it is; the exact one is in the title. */
export interface Moment {
  iso: string;
  title: string;
  text: string;
}

export const momentOf = (ms: number, now: number): Moment => ({
  iso: new Date(ms).toISOString(),
  title: formatWithUtc(ms),
  text: ms <= now ? `${formatSpan(now - ms)} ago` : `in ${formatSpan(ms - now)}`,
});

/** One block as a row of the list. */
export interface BlockRow {
  id: string;
  short: string;
  mark: StateMark;
  source: string;
  destination: string;
  service: string;
  firewall: string;
  description: string;
  reason: string;
  comment: string;
  /** What is wrong with its proof. */
  proof: string;
  /** How many packets it has stopped, and whether they still come; empty if no query has found any. */
  packets: string;
  since: Moment;
  /** Null: it has no end. */
  until: Moment | null;
  isOver: boolean;
  alarms: number;
  by: string;
}

export function toBlockRow({ block, origin }: { block: Block; origin: string | null }, now: number): BlockRow {
  const { flow, expiresAt } = block;
  const mark = markOf(block);
  return {
    id: block.id,
    short: shortId(block),
    mark,
    source: flow.source,
    destination: flow.destination,
    service: flow.port === '' ? flow.protocol : `${flow.protocol}/${flow.port}`,
    firewall: block.firewall,
    description: toPrintable(block.description),
    reason: toPrintable(block.reason ?? ''),
    comment: toPrintable(block.comment ?? ''),
    proof: mark.tone === 'good' ? '' : sentenceOfProof(block),
    packets: toSentence(describePackets(block, now) ?? ''),
    since: momentOf(block.createdAt, now),
    until: expiresAt === null ? null : momentOf(expiresAt, now),
    isOver: isOver(block),
    alarms: block.alarms,
    by: toPrintable(origin ?? ''),
  };
}
