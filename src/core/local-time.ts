const two = (value: number): string => String(Math.abs(value)).padStart(2, '0');

/** Local time with its zone: `2026-03-14 03:12:45 +0100`. */
export function formatLocal(ms: number): string {
  const time = new Date(ms);
  const zone = -time.getTimezoneOffset();
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${date} ${clock} ${zone < 0 ? '-' : '+'}${two(Math.trunc(zone / 60))}${two(zone % 60)}`;
}

/** The same with UTC beside it, for readers in other zones: `2026-03-14 03:12:45 +0100 (02:12:45 UTC)`. */
export function formatWithUtc(ms: number): string {
  const local = formatLocal(ms);
  const utc = `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
  if (local.slice(0, 19) === utc.slice(0, 19)) return utc;
  return `${local} (${local.slice(0, 10) === utc.slice(0, 10) ? utc.slice(11) : utc})`;
}

/** A short form: `03:12` within a day, else `2026-03-14`. */
export const formatShort = (ms: number, now: number): string =>
  Math.abs(now - ms) < dayMs ? formatLocal(ms).slice(11, 16) : formatLocal(ms).slice(0, 10);

/** A moment of the next or last days as people name it: `Mon 12:00`; any other as a date. */
export const formatDay = (ms: number, now: number): string =>
  Math.abs(now - ms) < 6 * dayMs
    ? `${weekdays[new Date(ms).getDay()] ?? ''} ${formatLocal(ms).slice(11, 16)}`
    : formatLocal(ms).slice(0, 10);

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

const dayMs = 86_400_000;
