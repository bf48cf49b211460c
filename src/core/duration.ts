const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Parses `90s`, `30m`, `24h`, `7d` as milliseconds and `forever` as null; undefined if it is none of these. */
export function parseDuration(text: string): number | null | undefined {
  if (text === 'forever') return null;
  const match = /^([1-9][0-9]{0,8})([smhd])$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * units[match[2] as keyof typeof units]; // the pattern allows no other unit
}

/** A span in its largest unit, rounded down: `45s`, `3m`, `23h`, `6d`. */
export function formatSpan(ms: number): string {
  const span = Math.max(0, ms);
  const unit = (['d', 'h', 'm'] as const).find((each) => span >= units[each]) ?? 's';
  return `${Math.floor(span / units[unit])}${unit}`;
}

/** A span in full, so that it can be read back: `90s`, `24h`, `forever`. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return 'forever';
  const unit = (['d', 'h', 'm', 's'] as const).find((each) => ms % units[each] === 0);
  return unit === undefined ? `${ms}ms` : `${ms / units[unit]}${unit}`;
}
