/** How long an entry is to last: a word for `--for`, or that its time is up; undefined where the text says neither. */
export type ListTime = { for: string } | { over: true } | undefined;

const forever: ListTime = { for: 'forever' };
const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Programs that have no end write a year that is far away. */
const farAway = Date.UTC(9000, 0);

/**
 * Reads what lists say of an entry's time: a span (`4h`, `3h59m57s`, `1d2h`, `600` for seconds), or a moment (a date,
 * seconds or milliseconds since the epoch). A span that is negative and a moment that is past are over.
 */
export function readTime(text: string, now: number): ListTime {
  const word = text.trim();
  if (/^(?:forever|permanent|never|infinite|-1)$/i.test(word)) return forever;
  if (/^\d+$/.test(word)) return readNumber(Number(word), now);
  const span = readSpan(word);
  if (span !== undefined) return toTime(span);
  const moment = /^\d{4}-\d\d-\d\d/.test(word) ? Date.parse(toIso(word)) : NaN;
  if (Number.isNaN(moment)) return undefined;
  return moment >= farAway ? forever : toTime(moment - now);
}

/** `2026-06-01 10:00:00` and `2026-06-01T10:00:00+0000` as JavaScript is sure to read them. */
const toIso = (text: string): string =>
  text
    .replace(/^(\d{4}-\d\d-\d\d)$/, '$1T00:00')
    .replace(' ', 'T')
    .replace(/ (?=[+-]|Z|UTC)/, '')
    .replace(/([+-]\d\d)(\d\d)$/, '$1:$2');

/** Zero may mean at once or never; a number that is too large for a span is a moment. */
function readNumber(number: number, now: number): ListTime {
  if (number === 0) return undefined;
  if (number >= 1e12) return toTime(number - now);
  return number >= 1e9 ? toTime(number * 1_000 - now) : toTime(number * 1_000);
}

/** Go's spans and nft's, in milliseconds. */
function readSpan(text: string): number | undefined {
  if (!/^-?(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/.test(text)) return undefined;
  // A number and its unit take turns.
  const parts = text.replace('-', '').split(/(ms|[smhdw])/);
  const sum = parts.reduce((ms, unit, at) => ms + (at % 2 === 1 ? Number(parts[at - 1]) * (unitMs[unit] ?? 0) : 0), 0);
  return text.startsWith('-') ? -sum : sum;
}

/** In seconds, so that nothing is lost but what a firewall cannot hold. */
function toTime(ms: number): ListTime {
  if (ms <= 0) return { over: true };
  const seconds = Math.ceil(ms / 1_000);
  return { for: seconds < 1e9 ? `${seconds}s` : `${Math.ceil(seconds / 86_400)}d` };
}
