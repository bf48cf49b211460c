import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/**
 * The audit log is a chain: each line names the line before it by its hash, and so none can be changed, taken out or
 * put in without a break. The ledger keeps the last hash, so that the end cannot be cut off either. Each line is signed with
 * a key besides, so that who can write both cannot make the chain anew; and its end is told elsewhere each day.
 */

/** One decision: what happened, and the facts that tell who, what, why and how it ended. */
export type AuditEntry = { event: string } & Record<string, unknown>;

/** Where the chain ends. */
export interface AuditHead {
  seq: number;
  hash: string;
}

export const auditStart: AuditHead = { seq: 0, hash: '0'.repeat(64) };

const hashOf = (body: string): string => createHash('sha256').update(body).digest('hex');
const macOf = (hash: string, key: Buffer): string => createHmac('sha256', key).update(hash).digest('hex');

/** Written where a ledger that knows no entry meets a log that has some: it was lost, or somebody replaced it. */
export const begunAnew = 'ledger begun anew';

/**
 * The line that follows `head`, without its end, and the head after it.
 * @param key what only the account that applies blocks can read: without it nobody makes a line that passes for ours
 */
export function linkEntry(
  entry: AuditEntry,
  at: string,
  head: AuditHead,
  key?: Buffer,
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
  /** Null where the line has none, as those of release 0.1. */
  mac: string | null;
}

/** A line's place in the chain; undefined where it is no whole entry, or was changed. */
export function readLink(line: string): Link | undefined {
  const [, open, hash = '', mac = null] =
    /^(\{.*),"hash":"([0-9a-f]{64})"(?:,"mac":"([0-9a-f]{64})")?\}$/s.exec(line) ?? [];
  if (open === undefined || hashOf(`${open}}`) !== hash) return undefined;
  const { seq, prev, event } = JSON.parse(`${open}}`) as Record<string, unknown>;
  return typeof seq === 'number' && typeof prev === 'string' ? { seq, prev, event, hash, mac } : undefined;
}

/** What a chain is compared with, besides itself and the ledger's end of it. */
export interface AuditProof {
  /** Undefined where there is none. */
  key?: Buffer | undefined;
  /** Whether lines have been written with a key. */
  isKeyed?: boolean;
  /** When the ledger's oldest block was made; undefined where it has none. */
  oldestBlock?: number | undefined;
  /** An entry as it was told elsewhere, by a digest or syslog: its hash, or how that begins. */
  anchor?: AuditHead | undefined;
}

/** Every break in the chain, in words; none where it is whole and ends where the ledger says. */
export function findBreaks(
  lines: readonly string[],
  end: AuditHead | undefined,
  { key, isKeyed = false, oldestBlock, anchor }: AuditProof = {},
): string[] {
  const breaks: string[] = [];
  let last = auditStart;
  let keyedFrom: number | undefined;
  let isAnchored = false;
  for (const [index, line] of lines.entries()) {
    const link = readLink(line);
    if (link === undefined) {
      breaks.push(`line ${index + 1} was changed, or is no entry at all`);
      continue;
    }
    if (link.seq <= last.seq) breaks.push(`line ${index + 1} is entry ${link.seq}, which was there already`);
    else {
      if (link.seq > last.seq + 1) {
        breaks.push(`before line ${index + 1}: missing or changed are entries ${last.seq + 1} to ${link.seq - 1}`);
      } else if (link.prev !== last.hash) breaks.push(`line ${index + 1} does not follow the one before it`);
      last = { seq: link.seq, hash: link.hash };
    }
    if (link.mac !== null) keyedFrom ??= index + 1;
    if (keyedFrom !== undefined && key !== undefined && !isSigned(link, key))
      breaks.push(`line ${index + 1} was not written with this host's key`);
    if (link.event === begunAnew) breaks.push(`at line ${index + 1} the ledger was begun anew under this log`);
    isAnchored ||= anchor !== undefined && link.seq === anchor.seq && link.hash.startsWith(anchor.hash);
  }
  if ((isKeyed || keyedFrom !== undefined) && key === undefined)
    breaks.push('the key of this log is gone: nothing tells whether its lines are ours');
  if (key !== undefined && keyedFrom === undefined && lines.length > 0)
    breaks.push("no line was written with this host's key");
  if (anchor !== undefined && !isAnchored) breaks.push(`entry ${anchor.seq} is not the one that was told elsewhere`);
  if (end === undefined && lines.length === 0 && oldestBlock !== undefined)
    breaks.push(`the ledger has blocks since ${new Date(oldestBlock).toISOString()}, and no entry tells of them`);
  const told = end ?? auditStart;
  if (last.seq < told.seq) breaks.push(`the end was cut off: missing are entries ${last.seq + 1} to ${told.seq}`);
  else if (last.seq > told.seq) breaks.push(`entries ${told.seq + 1} to ${last.seq} are not known to the ledger`);
  else if (last.hash !== told.hash) breaks.push(`the last entry, ${last.seq}, is not the one the ledger knows`);
  return breaks;
}

function isSigned({ hash, mac }: Link, key: Buffer): boolean {
  return mac !== null && timingSafeEqual(Buffer.from(mac), Buffer.from(macOf(hash, key)));
}
