import { formatSpan } from '../../core/duration.js';
import { formatLocal, formatWithUtc } from '../../core/local-time.js';

/** A time on a page: what is shown, and the exact time in local time and UTC for its title. */
export interface ShownTime {
  text: string;
  title: string;
}

/** `3m ago`; `never` for null. */
export const ago = (ms: number | null, now: number): ShownTime =>
  ms === null ? { text: 'never', title: '' } : { text: `${formatSpan(now - ms)} ago`, title: formatWithUtc(ms) };

/** `2026-03-14 03:12:45`. */
export const exactly = (ms: number): ShownTime => ({ text: formatLocal(ms).slice(0, 19), title: formatWithUtc(ms) });
