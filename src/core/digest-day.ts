/** The day that a digest covers, from one `HH:MM` to the next on this host's clock. */
export interface DigestDay {
  /** Its end: `2026-11-25`. */
  name: string;
  from: number;
  to: number;
}

/** The last day that has ended. If no process runs at that time, a later one sends the digest. */
export function findDigestDay(now: number, at: string): DigestDay {
  const [hours = 0, minutes = 0] = at.split(':').map(Number);
  const to = new Date(now);
  to.setHours(hours, minutes, 0, 0);
  if (to.getTime() > now) to.setDate(to.getDate() - 1);
  const from = new Date(to);
  from.setDate(from.getDate() - 1); // 23 or 25 hours if the clock changes
  const two = (value: number): string => String(value).padStart(2, '0');
  const name = `${to.getFullYear()}-${two(to.getMonth() + 1)}-${two(to.getDate())}`;
  return { name, from: from.getTime(), to: to.getTime() };
}
