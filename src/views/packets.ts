import type { Block } from '../core/block.js';
import { formatSpan } from '../core/duration.js';
import { formatNumber } from './count.js';

/** Queries are an hour apart: packets found by the last two of them still come. */
const stillComeMs = 2 * 3_600_000;

/** How many packets a block has stopped, and whether they still come; undefined if no query has found any. */
export function describePackets(
  { state, packets, packetsAt }: Pick<Block, 'state' | 'packets' | 'packetsAt'>,
  now: number,
): string | undefined {
  if (packetsAt === null) return undefined;
  const stopped = `at least ${formatNumber(packets)} ${packets === 1 ? 'packet' : 'packets'} stopped`;
  const ago = now - packetsAt;
  return state === 'active' && ago < stillComeMs
    ? `still coming: ${stopped}`
    : `${stopped}, the last noticed ${formatSpan(ago)} ago`;
}
