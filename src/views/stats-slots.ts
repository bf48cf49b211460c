import { formatDuration, formatSpan } from '../core/duration.js';
import type { OutcomeKind } from '../core/outcome.js';
import { formatLocal } from '../core/local-time.js';
import type { History } from '../core/stats.js';

/** What a bar can show: alarms received, and each outcome. */
export type SlotKind = OutcomeKind | 'received';

/** What happened in the hour, day or month that begins at `at`. */
export type Slot = Record<SlotKind, number> & { at: number };

export type SlotSize = 'hour' | 'day' | 'month';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Limits the number of slots: hours for two days, days for two months, else months. */
export function findSlotSize({ since, until }: Pick<History, 'since' | 'until'>): SlotSize {
  const span = until - since;
  if (span <= 2 * dayMs) return 'hour';
  return span <= 62 * dayMs ? 'day' : 'month';
}

/** Every slot from the first to the last, empty ones included. Days and months are local. */
export function toSlots(figures: History): Slot[] {
  const size = findSlotSize(figures);
  const slots = new Map<number, Slot>();
  for (let at = startOf(firstOf(figures), size); at <= figures.until; at = nextSlot(at, size)) {
    slots.set(at, {
      at,
      received: 0,
      proven: 0,
      bypassed: 0,
      failed: 0,
      held: 0,
      refused: 0,
      released: 0,
      observed: 0,
    });
  }
  for (const { at, alarms } of figures.alarmHours) {
    const slot = slots.get(startOf(at, size));
    if (slot !== undefined) slot.received += alarms;
  }
  for (const hour of figures.hours) {
    const slot = slots.get(startOf(hour.at, size));
    if (slot === undefined) continue;
    slot.proven += hour.proven;
    slot.bypassed += hour.bypassed;
    slot.failed += hour.failed;
    slot.held += hour.held;
    slot.refused += hour.refused;
    slot.released += hour.released;
    slot.observed += hour.observed;
  }
  return [...slots.values()];
}

/** Without a limit, the report begins with the first outcome. */
const firstOf = ({ since, until, hours }: History): number => (since > 0 ? since : (hours[0]?.at ?? until - dayMs));

function startOf(ms: number, size: SlotSize): number {
  if (size === 'hour') return Math.floor(ms / hourMs) * hourMs;
  const time = new Date(ms);
  return new Date(time.getFullYear(), time.getMonth(), size === 'day' ? time.getDate() : 1).getTime();
}

/** A local day may have 23 or 25 hours. */
function nextSlot(ms: number, size: SlotSize): number {
  if (size === 'hour') return ms + hourMs;
  const time = new Date(ms);
  return size === 'day'
    ? new Date(time.getFullYear(), time.getMonth(), time.getDate() + 1).getTime()
    : new Date(time.getFullYear(), time.getMonth() + 1, 1).getTime();
}

/** `11-25 14:00`, `2026-11-25`, `2026-11`, in local time. */
export function nameSlot({ at }: Slot, size: SlotSize): string {
  const text = formatLocal(at);
  if (size === 'hour') return text.slice(5, 16);
  return size === 'day' ? text.slice(0, 10) : text.slice(0, 7);
}

/** `24h up to 2026-11-25 02:34:56 +0000`. */
export function nameSpan({ since, until }: Pick<History, 'since' | 'until'>): string {
  const end = formatLocal(until);
  const span = Math.round((until - since) / 1000) * 1000;
  return since > 0 ? `${formatDuration(span)} up to ${end}` : `everything up to ${end}`;
}

/** How long something took: `840 ms`, `1.4 s`, `12m`. */
export function formatTaken(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : formatSpan(ms);
}
