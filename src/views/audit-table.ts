import { formatLocal } from '../core/local-time.js';
import { toTable } from './table.js';

const headings = ['AT', 'WHAT', 'BY', 'FLOW', 'STATE', 'WHY'];

/** Entries of the audit log as a table. The log is in UTC, the table in local time. @param width in columns */
export function toAuditTable(entries: readonly Readonly<Record<string, unknown>>[], width: number): string {
  if (entries.length === 0) return 'no entries';
  const rows = entries.map((entry) => {
    const { at, event, by, flow, state, command, reason } = entry;
    return [toLocalTime(at), event, by, flow, state ?? command, reason].map(toText);
  });
  return toTable(headings, rows, { right: new Set(['AT']), width });
}

const toText = (value: unknown): string => (typeof value === 'string' ? value : '');

function toLocalTime(at: unknown): unknown {
  const ms = typeof at === 'string' ? Date.parse(at) : NaN;
  return Number.isNaN(ms) ? at : formatLocal(ms);
}
