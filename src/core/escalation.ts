export interface Escalation {
  factor: number;
  maxMs: number | null;
  memoryMs: number | null;
}

/**
 * How long to block a repeat offender: longer each time, up to a maximum.
 * @param durationMs of a first offence; null is forever
 * @param offences earlier blocks of the source within the memory
 */
export function escalate(durationMs: number | null, offences: number, { factor, maxMs }: Escalation): number | null {
  if (durationMs === null) return null;
  const grown = durationMs * factor ** Math.min(offences, 64);
  return Math.round(maxMs === null ? grown : Math.max(durationMs, Math.min(grown, maxMs)));
}
