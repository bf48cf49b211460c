const two = (value: number): string => String(Math.abs(value)).padStart(2, '0');

/** Local time with its zone: `2026-03-14 03:12:45 +0100`. */
export function formatLocal(ms: number): string {
  const time = new Date(ms);
  const zone = -time.getTimezoneOffset();
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${date} ${clock} ${zone < 0 ? '-' : '+'}${two(Math.trunc(zone / 60))}${two(zone % 60)}`;
}

/** A short form: `03:12` within a day, else `2026-03-14`. */
export const formatShort = (ms: number, now: number): string =>
  Math.abs(now - ms) < dayMs ? formatLocal(ms).slice(11, 16) : formatLocal(ms).slice(0, 10);

const dayMs = 86_400_000;
