import { createHash } from 'node:crypto';

/**
 * The audit log is a chain: each line names the line before it by its hash, and so none can be changed, taken out or
 * put in without a break. The ledger keeps the last hash, so that the end cannot be cut off either.
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

/** The line that follows `head`, without its end, and the head after it. */
export function linkEntry(entry: AuditEntry, at: string, head: AuditHead): { line: string; head: AuditHead } {
  const seq = head.seq + 1;
  const body = JSON.stringify({ seq, at, ...entry, prev: head.hash });
  const hash = hashOf(body);
  return { line: `${body.slice(0, -1)},"hash":"${hash}"}`, head: { seq, hash } };
}

/** A line's place in the chain; undefined where it is no whole entry, or was changed. */
export function readLink(line: string): (AuditHead & { prev: string }) | undefined {
  const [, open, hash = ''] = /^(\{.*),"hash":"([0-9a-f]{64})"\}$/s.exec(line) ?? [];
  if (open === undefined || hashOf(`${open}}`) !== hash) return undefined;
  const { seq, prev } = JSON.parse(`${open}}`) as { seq: unknown; prev: unknown };
  return typeof seq === 'number' && typeof prev === 'string' ? { seq, prev, hash } : undefined;
}

/** Every break in the chain, in words; none where it is whole and ends where the ledger says. */
export function findBreaks(lines: readonly string[], end: AuditHead | undefined): string[] {
  const breaks: string[] = [];
  let last = auditStart;
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
  }
  const told = end ?? auditStart;
  if (last.seq < told.seq) breaks.push(`the end was cut off: missing are entries ${last.seq + 1} to ${told.seq}`);
  else if (last.seq > told.seq) breaks.push(`entries ${told.seq + 1} to ${last.seq} are not known to the ledger`);
  else if (last.hash !== told.hash) breaks.push(`the last entry, ${last.seq}, is not the one the ledger knows`);
  return breaks;
}
