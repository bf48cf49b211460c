import type { Allowance } from '../core/allowance.js';
import { formatSpan } from '../core/duration.js';
import { toTime } from './json.js';
import { toTable } from './table.js';

/** The allowlist as a table. @param width in columns */
export function toAllowedTable(entries: readonly Allowance[], now: number, width = 80): string {
  if (entries.length === 0) return 'no entries';
  const rows = entries.map(({ kind, address, firewall, until, reason, by, resolved }) => [
    ...[
      kind,
      resolved.length === 0 ? address : `${address} (${resolved.join(', ')})`,
      firewall === '' ? 'all' : firewall,
    ],
    ...[until === null ? 'forever' : formatSpan(until - now), reason, by],
  ]);
  return toTable(['KIND', 'ADDRESS', 'FIREWALL', 'LEFT', 'REASON', 'BY'], rows, { right: new Set(['LEFT']), width });
}

export const allowanceToJson = (entry: Allowance): object => ({
  kind: entry.kind,
  address: entry.address,
  firewall: entry.firewall === '' ? null : entry.firewall,
  until: toTime(entry.until),
  reason: entry.reason,
  by: entry.by,
  created_at: toTime(entry.createdAt),
  resolved: entry.resolved,
});
