import { closeSync, fstatSync, openSync, readFileSync, readSync, truncateSync, writeSync } from 'node:fs';
import { auditStart, begunAnew, linkEntry, readLink, type AuditEntry, type AuditHead } from '../../core/audit.js';
import type { Block } from '../../core/block.js';
import { describeFlow } from '../../core/describe-flow.js';
import type { KeepAlarm } from '../ledger.js';
import { makeAuditKey, readAuditKey } from './audit-key.js';
import type { Database } from './database.js';

/** Where decisions are written down, with which key, and who makes them. */
export interface Audit {
  file: string;
  keyFile: string;
  by: string;
}

/**
 * Appends entries to the audit log, inside the caller's transaction: its lock is what keeps processes apart, and what is
 * not committed is taken back. A process that dies in between leaves lines that the chain passes by, and
 * `audit --verify` tells.
 */
export function appendAudit(database: Database, audit: Audit, entries: readonly AuditEntry[], now: number): void {
  if (entries.length === 0) return;
  const file = openSync(audit.file, 'a+', 0o600);
  try {
    const key = readAuditKey(audit.keyFile) ?? makeAuditKey(audit.keyFile);
    const known = findAuditHead(database);
    let head = known ?? findLastHead(audit.file);
    const isAnew = known === undefined && head.seq > 0;
    const first: AuditEntry[] = isAnew ? [{ event: begunAnew, reason: `the log ends at entry ${head.seq}` }] : [];
    const { size } = fstatSync(file);
    let text = endsInLine(file, size) ? '' : '\n';
    for (const entry of [...first, ...entries]) {
      const { event, ...facts } = entry;
      const linked = linkEntry({ event, by: audit.by, ...facts }, new Date(now).toISOString(), head, key);
      text += `${linked.line}\n`;
      head = linked.head;
    }
    database.onRollback(() => truncateSync(audit.file, size));
    writeWhole(file, text);
    database.run(
      `INSERT INTO audit_head (one, seq, hash, keyed) VALUES (1, ?, ?, 1)
       ON CONFLICT (one) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, keyed = 1`,
      ...[head.seq, head.hash],
    );
  } finally {
    closeSync(file);
  }
}

export function findAuditHead(database: Database): (AuditHead & { isKeyed: boolean }) | undefined {
  const row = database.get('SELECT seq, hash, keyed FROM audit_head');
  return row && { seq: Number(row['seq']), hash: String(row['hash']), isKeyed: row['keyed'] === 1 };
}

export function findOldestBlock(database: Database): number | undefined {
  const at = database.get('SELECT min(created_at) AS at FROM block')?.['at'];
  return typeof at === 'number' ? at : undefined;
}

/** A new ledger goes on where the log ends. */
function findLastHead(file: string): AuditHead {
  const lines = readFileSync(file, 'utf8').split('\n');
  for (const line of lines.reverse()) {
    const link = readLink(line);
    if (link !== undefined) return { seq: link.seq, hash: link.hash };
  }
  return auditStart;
}

/** A disk that is nearly full takes a part, and says so by the number alone. */
function writeWhole(file: number, text: string): void {
  const bytes = Buffer.from(text);
  if (writeSync(file, bytes) === bytes.length) return;
  throw Object.assign(new Error('a part was written'), { code: 'ENOSPC', syscall: 'write' });
}

/** A process that died in the middle may have left half a line. */
function endsInLine(file: number, size: number): boolean {
  const last = Buffer.alloc(1);
  if (size > 0) readSync(file, last, 0, 1, size - 1);
  return size === 0 || last[0] === 0x0a;
}

export const entryOfBlock = (event: string, block: Block): AuditEntry => ({
  event,
  block: block.id,
  firewall: block.firewall,
  flow: `${block.flow.type} ${describeFlow(block.flow)}`,
  state: block.state,
  reason: block.reason,
});

export const entriesOfAlarms = (alarms: readonly KeepAlarm[], blocks: readonly Block[][]): AuditEntry[] =>
  alarms.flatMap(({ id, origin, context }, index) =>
    (blocks[index] ?? []).map((block) => ({
      ...entryOfBlock('alarm', block),
      alarm: id,
      origin,
      context,
      override: block.override,
    })),
  );

export const entryOfSettled = (run: string, block: Block): AuditEntry => ({
  ...entryOfBlock('run', block),
  run,
  changed: block.changed,
  trouble: block.trouble,
});
