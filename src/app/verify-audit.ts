import { realpathSync, statSync } from 'node:fs';
import { findBreaks, readLink, type AuditHead } from '../core/audit.js';
import { describeUnreadable } from '../core/describe.js';
import { FirebreakError, quoteBack } from '../core/errors.js';
import { readLines } from '../ledger/read-lines.js';
import { listAuditFiles } from '../ledger/sql/audit-file.js';
import { readAuditKey } from '../ledger/sql/audit-key.js';
import { yieldToOthers } from '../ledger/yield-to-others.js';
import type { App } from '../runtime/app.js';
import { auditFileOf, auditKeyOf } from './context.js';

export interface VerifyOptions {
  /** Archived files, oldest first; the current one follows them. */
  older: readonly string[];
  /** An entry that the log must contain; the hash may be truncated. */
  anchor?: AuditHead | undefined;
}

export interface Verified {
  entries: number;
  /** Describes forged and missing entries; empty if the log is intact. */
  breaks: string[];
  head: AuditHead | undefined;
}

/** Checks that no entry of the audit log is forged or missing. @throws FirebreakError usage if a file cannot be read */
export async function verifyAudit({ older, anchor }: VerifyOptions, { config, ledger }: App): Promise<Verified> {
  // The size belongs to this head: what is appended while the files are read does not matter.
  const { head, files } = await ledger.readAuditEnd(() => measure(listFiles(older, auditFileOf(config))));
  let entries = 0;
  const count = function* (): Generator<string> {
    for (const line of readAll(files)) {
      entries += 1;
      yield line;
    }
  };
  const breaks = findBreaks(count(), head, {
    key: readAuditKey(auditKeyOf(config)),
    isKeyed: head?.isKeyed ?? false,
    oldestBlock: await ledger.findOldestBlock(),
    anchor,
  });
  return { entries, breaks, head };
}

/** The end of a file that certainly contains the last entries. */
const lastBytes = 4 * 1024 * 1024;

/** The last entries of the log. Others get their turn meanwhile: a server reads it for each page. */
export async function readLastEntries(
  many: number,
  older: readonly string[],
  { config }: Pick<App, 'config'>,
): Promise<Record<string, unknown>[]> {
  let last: string[] = [];
  for (const file of measure(listFiles(older, auditFileOf(config))).reverse()) {
    const lines: string[] = [];
    for (const line of readAll([file], lastBytes)) {
      lines.push(line);
      await yieldToOthers();
    }
    last = [...lines.slice(Math.max(0, lines.length + last.length - many)), ...last];
    if (last.length === many) break;
  }
  const entries: Record<string, unknown>[] = [];
  for (const line of last) {
    if (readLink(line) !== undefined) entries.push(JSON.parse(line) as Record<string, unknown>);
    await yieldToOthers();
  }
  return entries;
}

/** @throws FirebreakError usage */
export function parseAnchor(text: string): AuditHead {
  const [, seq = '', hash = ''] = /^([1-9][0-9]{0,14}):([0-9a-f]{12,64})$/.exec(text) ?? [];
  if (seq !== '') return { seq: Number(seq), hash };
  throw new FirebreakError('usage', `--anchor: expected NUMBER:HASH from a digest or syslog, got ${quoteBack(text)}`);
}

interface AuditFile {
  path: string;
  size: number;
}

/** The files named by the caller, then the others of the log, each once. */
function listFiles(older: readonly string[], current: string): string[] {
  const named = new Set(older.map((file) => explained(file, () => realpathSync(file))));
  return [...older, ...listAuditFiles(current).filter((file) => !named.has(realpathSync(file)))];
}

const measure = (files: readonly string[]): AuditFile[] =>
  files.map((path) => ({ path, size: explained(path, () => statSync(path).size) }));

function* readAll(files: readonly AuditFile[], maxBytes?: number): Generator<string> {
  for (const { path, size } of files) {
    try {
      yield* readLines(path, { from: maxBytes === undefined ? 0 : Math.max(0, size - maxBytes), to: size });
    } catch (error) {
      throw unreadable(path, error);
    }
  }
}

function explained<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw unreadable(file, error);
  }
}

const unreadable = (file: string, error: unknown): FirebreakError =>
  new FirebreakError('usage', describeUnreadable(file, error), { cause: error });
