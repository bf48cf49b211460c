import { quoteBack } from '../../core/errors.js';
import { readRecord, type ListRecord } from './list-record.js';
import type { ListContext, ListRow } from './list-row.js';

/** Blocks of these states are, or are to be, on the firewall. */
const wanted = ['active', 'pending', 'failed'];

/** Is it a block of `firebreak list --json` or `--csv`? */
export const isOurs = (record: Readonly<Record<string, unknown>>): boolean =>
  ['firewall', 'state', 'tracker', 'source', 'ipprotocol'].every((name) => Object.hasOwn(record, name));

/** One of our own blocks as it was: its firewall, its type, the time that it has left; without an end it is forever. */
export function readOurBlock(where: string, record: ListRecord, context: ListContext): ListRow {
  const state = record['state'] ?? '';
  if (!wanted.includes(state)) return { where, kind: 'skip', reason: `state ${quoteBack(state)}` };
  const ends = record['expires_at'] ?? '';
  const block = {
    ...record,
    ip: '',
    rule_type: record['type'] ?? '',
    ipproto: record['ipprotocol'] ?? '',
    expires_at: ends === '' ? 'forever' : ends,
    reason: '',
  };
  const row = readRecord(where, block, context);
  return row.kind === 'entry' ? { ...row, firewall: record['firewall'] } : row;
}
