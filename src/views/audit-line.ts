import { formatLocal } from '../core/local-time.js';
import { wrapText } from './table.js';

type Fields = Readonly<Record<string, unknown>>;

const indent = '    ';

/**
 * One entry of the audit log: when (the log has UTC, this is local time), where, and what; below it about what, and who
 * decided it and why.
 * @param width in columns
 */
export function toAuditLines(entry: Fields, width: number): string {
  const of = (field: string): string => toText(entry[field]);
  const [by, reason] = [of('by'), of('reason')];
  const about = of('flow').replace(/^block /, '') || of('address') || of('name') || of('command');
  const what = joinBy(': ', [of('firewall'), joinBy(', ', [of('event'), of('state')])]);
  // A release says in its reason by whom.
  const why = by !== '' && reason.includes(`by ${by}`) ? reason : joinBy(': ', [`by ${by || 'unknown'}`, reason]);
  const below = [about, why].filter((text) => text !== '').flatMap((text) => wrapText(text, Math.max(width - 4, 20)));
  return [`${toLocalTime(entry['at'])}  ${what}`, ...below.map((line) => indent + line)].join('\n');
}

const toText = (value: unknown): string => (typeof value === 'string' ? value : '');

const joinBy = (mark: string, parts: readonly string[]): string => parts.filter((part) => part !== '').join(mark);

function toLocalTime(at: unknown): string {
  const ms = typeof at === 'string' ? Date.parse(at) : NaN;
  return Number.isNaN(ms) ? toText(at) : formatLocal(ms);
}
