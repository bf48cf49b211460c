const second = 1000;
const minute = 60 * second;

/** Delays after the first, second, … failed run in a row; the last one repeats. */
const delays = [5 * second, 15 * second, minute, 5 * minute, 15 * minute] as const;

/** The same for a message that could not be sent: a mail server may be unreachable for days. */
const messageDelays = [minute, 5 * minute, 15 * minute, 60 * minute] as const;

export const messageBackoffAfter = (tries: number): number =>
  messageDelays[Math.min(Math.max(tries, 1), messageDelays.length) - 1] ?? messageDelays[3];

/** Milliseconds to wait after `failures` failed runs in a row. */
export const backoffAfter = (failures: number): number =>
  delays[Math.min(Math.max(failures, 1), delays.length) - 1] ?? delays[4];
