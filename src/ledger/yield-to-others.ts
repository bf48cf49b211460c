import { setImmediate as nextRound } from 'node:timers/promises';

/** For how long work may go on before timers, sockets and signals have their turn, in milliseconds. */
const sliceMs = 20;
let resumedAt = 0;

/** Whether the work has gone on for long enough. */
export const isSliceOver = (): boolean => performance.now() - resumedAt >= sliceMs;

/** Lets the event loop make one round where the slice is over. To be awaited within loops; costs nothing in between. */
export async function yieldToOthers(): Promise<void> {
  if (!isSliceOver()) return;
  await nextRound();
  resumedAt = performance.now();
}
