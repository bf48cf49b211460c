import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/**
 * The audit log is a chain: each line contains the hash of the line before it, so no line can be changed, removed or
 * inserted without a break. The ledger stores the last hash, so the log cannot be truncated either. Each line is also
 * signed with a key, so write access to both is not enough to forge a new chain; digests and syslog report its end.
 */

/** One decision: what happened, and the facts: who, what, why, and how it ended. */
export type AuditEntry = { event: string } & Record<string, unknown>;

/** The end of the chain. */
export interface AuditHead {
  seq: number;
  hash: string;
}

export const auditStart: AuditHead = { seq: 0, hash: '0'.repeat(64) };

const hashOf = (body: string): string => createHash('sha256').update(body).digest('hex');
const macOf = (hash: string, key: Buffer): string => createHmac('sha256', key).update(hash).digest('hex');

/** Event written when a ledger without entries finds a log that has some: the ledger was lost or replaced. */
export const begunAnew = 'ledger begun anew';

/** Event written after a process died before it could commit: the lines that it left were removed. */
export const logRepaired = 'log repaired';

/**
 * The line that follows `head`, without its line end, and the head after it.
 * @param key readable only by the account that applies blocks, so that no other account can forge a line
 */
export function linkEntry(
  entry: AuditEntry,
  head: AuditHead,
  { at, key }: { at: string; key?: Buffer | undefined },
): { line: string; head: AuditHead } {
  const seq = head.seq + 1;
  const body = JSON.stringify({ seq, at, ...entry, prev: head.hash });
  const hash = hashOf(body);
  const mac = key === undefined ? '' : `,"mac":"${macOf(hash, key)}"`;
  return { line: `${body.slice(0, -1)},"hash":"${hash}"${mac}}`, head: { seq, hash } };
}

export interface Link extends AuditHead {
  prev: string;
  event: unknown;
  /** Null if the line has none, as in release 0.1. */
  mac: string | null;
}

/** A line's place in the chain; undefined if it is incomplete or was changed. */
export function readLink(line: string): Link | undefined {
  const [, open, hash = '', mac = null] =
    /^(\{.*),"hash":"([0-9a-f]{64})"(?:,"mac":"([0-9a-f]{64})")?\}$/s.exec(line) ?? [];
  if (open === undefined || hashOf(`${open}}`) !== hash) return undefined;
  const { seq, prev, event } = JSON.parse(`${open}}`) as Record<string, unknown>;
  return typeof seq === 'number' && typeof prev === 'string' ? { seq, prev, event, hash, mac } : undefined;
}

/** The head after a line that follows `head` and is signed with the key; undefined for any other line. */
export function findNext(line: string, head: AuditHead, key: Buffer): AuditHead | undefined {
  const link = readLink(line);
  if (link === undefined || link.seq !== head.seq + 1 || link.prev !== head.hash || !isSigned(link, key))
    return undefined;
  return { seq: link.seq, hash: link.hash };
}

/** What a chain is verified against, besides itself and the end recorded in the ledger. */
export interface AuditProof {
  /** Undefined if there is none. */
  key?: Buffer | undefined;
  /** Whether lines have been written with a key. */
  isKeyed?: boolean;
  /** When the ledger's oldest block was created; undefined if it has none. */
  oldestBlock?: number | undefined;
  /** An entry as a digest or syslog reported it: its hash, or the beginning of it. */
  anchor?: AuditHead | undefined;
}

/** How many breaks are described; a log that somebody rewrote has one in each line. */
const maxBreaks = 1000;

/** Describes the breaks in the chain; empty if it is intact and ends where the ledger says. */
export function findBreaks(
  lines: Iterable<string>,
  end: AuditHead | undefined,
  { key, isKeyed = false, oldestBlock, anchor }: AuditProof = {},
): string[] {
  const breaks: string[] = [];
  let [last, count, more] = [auditStart, 0, 0];
  let keyedFrom: number | undefined;
  let isAnchored = false;
  const add = (text: string): void => {
    if (breaks.length < maxBreaks) breaks.push(text);
    else more += 1;
  };
  for (const line of lines) {
    count += 1;
    const link = readLink(line);
    if (link === undefined) {
      add(`line ${count} was changed or is not an entry`);
      continue;
    }
    if (link.seq <= last.seq) add(`line ${count} is entry ${link.seq}, which came earlier`);
    else {
      if (link.seq > last.seq + 1) {
        add(`before line ${count}: entries ${last.seq + 1} to ${link.seq - 1} are missing or changed`);
      } else if (link.prev !== last.hash) add(`line ${count} does not follow the line before it`);
      last = { seq: link.seq, hash: link.hash };
    }
    if (link.mac !== null) keyedFrom ??= count;
    if (keyedFrom !== undefined && key !== undefined && !isSigned(link, key))
      add(`line ${count} was not written with this host's key`);
    if (link.event === begunAnew) add(`at line ${count} a new ledger continues this log`);
    isAnchored ||= anchor !== undefined && link.seq === anchor.seq && link.hash.startsWith(anchor.hash);
  }
  if ((isKeyed || keyedFrom !== undefined) && key === undefined)
    add('the key of this log is missing: its lines cannot be verified');
  if (key !== undefined && keyedFrom === undefined && count > 0) add("no line was written with this host's key");
  if (anchor !== undefined && !isAnchored) add(`entry ${anchor.seq} does not match the anchor`);
  if (end === undefined && count === 0 && oldestBlock !== undefined)
    add(`the ledger has blocks since ${new Date(oldestBlock).toISOString()}, but the log has no entries`);
  const expected = end ?? auditStart;
  if (last.seq < expected.seq) add(`truncated: entries ${last.seq + 1} to ${expected.seq} are missing`);
  else if (last.seq > expected.seq) add(`the ledger does not know entries ${expected.seq + 1} to ${last.seq}`);
  else if (last.hash !== expected.hash) add(`the last entry, ${last.seq}, is not the one in the ledger`);
  return more === 0 ? breaks : [...breaks, `and ${more} more`];
}

function isSigned({ hash, mac }: Link, key: Buffer): boolean {
  return mac !== null && timingSafeEqual(Buffer.from(mac), Buffer.from(macOf(hash, key)));
}
