import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findNext, logRepaired, readLink, type AuditEntry, type AuditHead } from '../../core/audit.js';
import { readLines } from '../read-lines.js';

/** The files of the audit log: the current one, and those that were set aside when they became too large. */

const megabyte = 1024 * 1024;

/** Size at which a new file is begun. */
export const maxAuditBytes = 64 * megabyte;

/** How far from its end the log is searched for the last entry that the ledger knows. */
const maxTail = 64 * megabyte;

/** All files of the log, oldest first. Their names say nothing about the order: logrotate counts the other way. */
export function listAuditFiles(file: string): string[] {
  const aside = listAside(file).map((path) => ({ path, seq: findFirstSeq(path) }));
  const sorted = aside.sort((one, other) => one.seq - other.seq).map(({ path }) => path);
  return existsSync(file) ? [...sorted, file] : sorted;
}

function listAside(file: string): string[] {
  const folder = dirname(file);
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${basename(file)}.`) && /\.\d{1,9}$/.test(name))
    .map((name) => join(folder, name));
}

function findFirstSeq(file: string): number {
  for (const line of readLines(file)) return readLink(line)?.seq ?? 0;
  return 0;
}

/** Sets a file aside that has reached its size. If that fails, the file grows further: no decision is lost. */
export function rotateAudit(file: string, maxBytes: number): void {
  try {
    if (statSync(file).size < maxBytes) return;
    const numbers = listAside(file).map((path) => Number(path.slice(path.lastIndexOf('.') + 1)));
    renameSync(file, `${file}.${Math.max(0, ...numbers) + 1}`);
  } catch {
    return; // the next entry retries
  }
}

/**
 * Removes what a process that died before it committed has left after the last entry that the ledger knows: signed lines
 * that follow it, and a last line that is incomplete. Anything else stays, and `audit --verify` reports it.
 * @returns the entry that says so; undefined if there was nothing to remove
 */
export function repairAudit(file: string, head: AuditHead, key: Buffer): AuditEntry | undefined {
  const opened = openSync(file, 'a+', 0o600);
  try {
    const rest = findRest(opened, head);
    if (rest === undefined || rest.bytes.length === 0) return undefined;
    const lines = rest.bytes.toString('utf8').split('\n');
    const partial = lines.pop() ?? '';
    if (!isChain(lines, head, key)) return undefined;
    ftruncateSync(opened, rest.at);
    const many = lines.length + (partial === '' ? 0 : 1);
    return {
      event: logRepaired,
      reason: `removed ${many} ${many === 1 ? 'line' : 'lines'} of a change that was not recorded`,
      removed: createHash('sha256').update(rest.bytes).digest('hex'),
    };
  } finally {
    closeSync(opened);
  }
}

/** What follows the entry `head`; undefined if that entry is not near the end of the file. */
function findRest(file: number, head: AuditHead): { at: number; bytes: Buffer } | undefined {
  const { size } = fstatSync(file);
  for (let length = megabyte / 16; ; length *= 16) {
    const from = Math.max(0, size - length);
    const tail = readRange(file, from, size);
    const end = findEnd(tail, head) ?? (from === 0 && isBegin(tail, head) ? 0 : undefined);
    if (end !== undefined) return { at: from + end, bytes: tail.subarray(end) };
    if (from === 0 || length >= maxTail) return undefined;
  }
}

/** Where the entry's line ends. A quote within a text is escaped, so only a line's own hash matches. */
function findEnd(tail: Buffer, { hash }: AuditHead): number | undefined {
  const at = tail.lastIndexOf(`"hash":"${hash}"`);
  if (at === -1) return undefined;
  const end = tail.indexOf('\n', at);
  return end === -1 ? tail.length : end + 1;
}

/** Whether a file begins after the entry: it was set aside with its file. */
function isBegin(text: Buffer, { hash }: AuditHead): boolean {
  const end = text.indexOf('\n');
  return end === -1 || text.subarray(0, end).includes(`"prev":"${hash}"`);
}

function isChain(lines: readonly string[], head: AuditHead, key: Buffer): boolean {
  let last: AuditHead | undefined = head;
  for (const line of lines) last = last && findNext(line, last, key);
  return last !== undefined;
}

function readRange(file: number, from: number, to: number): Buffer {
  const bytes = Buffer.alloc(to - from);
  let length = 0;
  for (let read = -1; read !== 0 && length < bytes.length; length += read)
    read = readSync(file, bytes, length, bytes.length - length, from + length);
  return bytes.subarray(0, length);
}
