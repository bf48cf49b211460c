import { setImmediate as nextRound } from 'node:timers/promises';

/** How long work may continue before timers, sockets and signals get a turn, in milliseconds. */
const sliceMs = 20;

/** Rounds of the event loop between two slices: in each of them a server accepts a single connection. */
const rounds = 16;

let resumedAt = 0;

/** Whether the time slice is used up. */
export const isSliceOver = (): boolean => performance.now() - resumedAt >= sliceMs;

/** Lets the event loop run if the slice is used up. Await it within loops; otherwise it costs nothing. */
export async function yieldToOthers(): Promise<void> {
  if (!isSliceOver()) return;
  for (let round = 0; round < rounds; round += 1) await nextRound();
  resumedAt = performance.now();
}
