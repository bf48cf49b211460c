import { readFileSync } from 'node:fs';
import { findBreaks, readLink, type AuditHead } from '../core/audit.js';
import { describeUnreadable } from '../core/describe.js';
import { FirebreakError, quoteBack } from '../core/errors.js';
import { readAuditKey } from '../ledger/sql/audit-key.js';
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
  const lines = readAll(older, auditFileOf(config)); // before the head: read after it, the file could be ahead
  const head = await ledger.findAuditHead();
  const breaks = findBreaks(lines, head, {
    key: readAuditKey(auditKeyOf(config)),
    isKeyed: head?.isKeyed ?? false,
    oldestBlock: await ledger.findOldestBlock(),
    anchor,
  });
  return { entries: lines.length, breaks, head };
}

/** The last entries of the log. */
export const readLastEntries = (count: number, older: readonly string[], { config }: App): Record<string, unknown>[] =>
  readAll(older, auditFileOf(config))
    .slice(-count)
    .filter((line) => readLink(line) !== undefined)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** @throws FirebreakError usage */
export function parseAnchor(text: string): AuditHead {
  const [, seq = '', hash = ''] = /^([1-9][0-9]{0,14}):([0-9a-f]{12,64})$/.exec(text) ?? [];
  if (seq !== '') return { seq: Number(seq), hash };
  throw new FirebreakError('usage', `--anchor: expected NUMBER:HASH from a digest or syslog, got ${quoteBack(text)}`);
}

const readAll = (older: readonly string[], current: string): string[] => [
  ...older.flatMap((file) => readLines(file, true)),
  ...readLines(current, false),
];

function readLines(file: string, mustExist: boolean): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isMissing && !mustExist) return [];
    throw new FirebreakError('usage', describeUnreadable(file, error), { cause: error });
  }
}
