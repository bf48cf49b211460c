import type { AlarmValues } from '../fields.js';

/** One row of a list as a format reads it: an address to block, a row that says not to, or one that cannot be read. */
export type ListRow = { where: string } & (
  | { kind: 'entry'; source: string; fields?: AlarmValues; firewall?: string | undefined }
  | { kind: 'skip'; reason: string }
  | { kind: 'bad'; reason: string }
);

/** What the readers of all formats need to know. */
export interface ListContext {
  /** Milliseconds since the epoch: a list says when its entries end. */
  now: number;
  /** The column that holds the address to block, where the caller names it. */
  column: string | undefined;
  /** The only format that is read, where the caller names it. */
  format: string | undefined;
}

/** Names of groups, sets and types whose addresses are not to be blocked. */
const exempt =
  /^(?:ignored?|ignore[_-]?ips?|allow|allow[_-]?list(?:ed)?|allowed|pass|accept|bypass|captcha|throttle|white[_-]?list(?:ed)?|un[_-]?ban(?:ned)?|deleted|removed|released|disabled|inactive|expired|revoked|trusted|safe|exclude[ds]?|exceptions?|false[_-]?positives?|never[_-]?block)$/i;

/** Does a list mean by this name that its addresses are not to be blocked? */
export const isExempt = (name: string): boolean => exempt.test(name.trim());
