import type { AlarmValues } from '../fields.js';

/** One row of a list as a format reads it: an address to block, a row that says not to, or one that cannot be read. */
export type ListRow = { where: string } & (
  | { kind: 'entry'; source: string; fields?: AlarmValues; firewall?: string | undefined }
  /** `spared`: the address that the list never wants blocked, by no other of its rows. */
  | { kind: 'skip'; reason: string; spared?: string }
  | { kind: 'bad'; reason: string }
);

/** The same row, not to be blocked. @param isSpared nor by any other row */
export const skipRow = (row: ListRow, reason: string, isSpared: boolean): ListRow => ({
  where: row.where,
  kind: 'skip',
  reason,
  ...(isSpared && row.kind === 'entry' && { spared: row.source }),
});

/** What the readers of all formats need to know. */
export interface ListContext {
  /** Milliseconds since the epoch: a list says when its entries end. */
  now: number;
  /** The column that holds the address to block, where the caller names it. */
  column: string | undefined;
  /** The only format that is read, where the caller names it. */
  format: string | undefined;
}
