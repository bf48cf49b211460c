import { closeSync, fstatSync, openSync, readFileSync, readSync, truncateSync, writeSync } from 'node:fs';
import { auditStart, begunAnew, linkEntry, readLink, type AuditEntry, type AuditHead } from '../../core/audit.js';
import type { Block } from '../../core/block.js';
import { describeFlow } from '../../core/describe-flow.js';
import type { NewAlarm } from '../ledger.js';
import { yieldToOthers } from '../yield-to-others.js';
import { makeAuditKey, readAuditKey } from './audit-key.js';
import { findRow, type Statements, type Transaction } from './database.js';

/** Where decisions are recorded, and the key that signs them. */
export interface AuditFiles {
  file: string;
  keyFile: string;
}

/** Decisions of one actor. */
export interface Decisions {
  by: string;
  entries: readonly AuditEntry[];
}

/**
 * Appends entries to the audit log, inside the caller's transaction: its lock serialises processes, and a rollback
 * removes the lines. A process that dies in between leaves lines outside the chain, which
 * `audit --verify` reports.
 */
export async function appendAudit(tx: Transaction, files: AuditFiles, { by, entries }: Decisions): Promise<void> {
  if (entries.length === 0) return;
  const file = openSync(files.file, 'a+', 0o600);
  try {
    const key = readAuditKey(files.keyFile) ?? makeAuditKey(files.keyFile);
    const known = await findAuditHead(tx);
    let head: AuditHead = known ?? findLastHead(files.file);
    const isNewLedger = known === undefined && head.seq > 0;
    const first: AuditEntry[] = isNewLedger ? [{ event: begunAnew, reason: `the log ends at entry ${head.seq}` }] : [];
    const at = new Date(await tx.now()).toISOString();
    const { size } = fstatSync(file);
    let text = endsInLine(file, size) ? '' : '\n';
    for (const { event, ...facts } of [...first, ...entries]) {
      const linked = linkEntry({ event, by, ...facts }, head, { at, key });
      text += `${linked.line}\n`;
      head = linked.head;
      await yieldToOthers();
    }
    tx.onRollback(() => truncateSync(files.file, size));
    writeWhole(file, text);
    await tx.run(
      `INSERT INTO audit_head (one, seq, hash, keyed) VALUES (1, ?, ?, 1)
       ON CONFLICT (one) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, keyed = 1`,
      ...[head.seq, head.hash],
    );
  } finally {
    closeSync(file);
  }
}

export async function findAuditHead(db: Statements): Promise<(AuditHead & { isKeyed: boolean }) | undefined> {
  const row = await findRow(db, 'SELECT seq, hash, keyed FROM audit_head');
  return row && { seq: Number(row['seq']), hash: String(row['hash']), isKeyed: row['keyed'] === 1 };
}

/** A new ledger continues where the log ends. */
function findLastHead(file: string): AuditHead {
  const lines = readFileSync(file, 'utf8').split('\n');
  for (const line of lines.reverse()) {
    const link = readLink(line);
    if (link !== undefined) return { seq: link.seq, hash: link.hash };
  }
  return auditStart;
}

/** A nearly full disk writes only part of it; only the returned length shows that. */
function writeWhole(file: number, text: string): void {
  const bytes = Buffer.from(text);
  if (writeSync(file, bytes) === bytes.length) return;
  throw Object.assign(new Error('written in part'), { code: 'ENOSPC', syscall: 'write' });
}

/** False if a process died in the middle of a line. */
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

export const entriesOfAlarms = (alarms: readonly NewAlarm[], blocks: readonly Block[][]): AuditEntry[] =>
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
  trouble: block.failure,
  proof: block.proof,
});
