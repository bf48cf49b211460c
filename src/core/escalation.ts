export interface Escalation {
  factor: number;
  maxMs: number | null;
  memoryMs: number | null;
}

/**
 * How long a source is blocked that was blocked before: longer each time, up to the longest.
 * @param durationMs of a first offence; null is for ever
 * @param offences earlier blocks of the source within the memory
 */
export function escalate(durationMs: number | null, offences: number, { factor, maxMs }: Escalation): number | null {
  if (durationMs === null) return null;
  const grown = durationMs * factor ** Math.min(offences, 64);
  return Math.round(maxMs === null ? grown : Math.max(durationMs, Math.min(grown, maxMs)));
}
