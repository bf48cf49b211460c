import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { auditStart, begunAnew, linkEntry, readLink, type AuditEntry, type AuditHead } from '../../core/audit.js';
import type { Block } from '../../core/block.js';
import { describeFlow } from '../../core/describe-flow.js';
import { FirebreakError } from '../../core/errors.js';
import type { Amendment, NewAlarm, RecordedAlarms } from '../ledger.js';
import { readLines } from '../read-lines.js';
import { yieldToOthers } from '../yield-to-others.js';
import { listAuditFiles, maxAuditBytes, repairAudit, rotateAudit } from './audit-file.js';
import { makeAuditKey, readAuditKey } from './audit-key.js';
import { findRow, type Database, type Statements, type Transaction } from './database.js';

/** Where decisions are recorded, and the key that signs them. */
export interface AuditFiles {
  file: string;
  keyFile: string;
  /** Size at which a new file is begun. */
  maxBytes?: number | undefined;
}

/** Decisions of one actor. */
export interface Decisions {
  by: string;
  entries: readonly AuditEntry[];
}

/**
 * Appends entries to the audit log, inside the caller's transaction: its lock serialises processes, and a rollback
 * removes the lines. What a process left that died in between, the next entry removes and reports.
 */
export async function appendAudit(tx: Transaction, files: AuditFiles, { by, entries }: Decisions): Promise<void> {
  if (entries.length === 0) return;
  const key = readAuditKey(files.keyFile) ?? makeAuditKey(files.keyFile);
  const known = await findAuditHead(tx);
  let head: AuditHead = known ?? findLastHead(files.file);
  const first = known === undefined ? describeNewLedger(head) : repairAudit(files.file, known, key);
  rotateAudit(files.file, files.maxBytes ?? maxAuditBytes);
  const file = openSync(files.file, 'a+', 0o600);
  try {
    const at = new Date(await tx.now()).toISOString();
    const { size } = fstatSync(file);
    let text = endsInLine(file, size) ? '' : '\n';
    for (const { event, ...facts } of first === undefined ? entries : [first, ...entries]) {
      const linked = linkEntry({ event, by, ...facts }, head, { at, key });
      text += `${linked.line}\n`;
      head = linked.head;
      await yieldToOthers();
    }
    tx.onRollback(() => truncateSync(files.file, size));
    writeLines(file, text, size);
    await tx.run(
      `INSERT INTO audit_head (one, seq, hash, keyed) VALUES (1, ?, ?, 1)
       ON CONFLICT (one) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, keyed = 1`,
      ...[head.seq, head.hash],
    );
  } finally {
    closeSync(file);
  }
}

/** Writes all of it, or nothing: a single write stops in the middle on a full disk. */
function writeLines(file: number, text: string, size: number): void {
  try {
    writeFileSync(file, Buffer.from(text));
    fdatasyncSync(file); // the ledger may not be ahead of the log after a power failure
  } catch (error) {
    ftruncateSync(file, size); // at once: later it would need another descriptor
    throw error;
  }
}

const describeNewLedger = ({ seq }: AuditHead): AuditEntry | undefined =>
  seq === 0 ? undefined : { event: begunAnew, reason: `the log ends at entry ${seq}` };

export async function findAuditHead(db: Statements): Promise<(AuditHead & { isKeyed: boolean }) | undefined> {
  const row = await findRow(db, 'SELECT seq, hash, keyed FROM audit_head');
  return row && { seq: Number(row['seq']), hash: String(row['hash']), isKeyed: row['keyed'] === 1 };
}

/** The end of the chain, and what `measure` finds of its files at that moment. */
export async function readAuditEnd<T>(database: Database, measure: () => T) {
  const read = async (from: Statements) => ({ head: await findAuditHead(from), files: measure() });
  try {
    return await database.write(read);
  } catch (error) {
    if (!(error instanceof FirebreakError) || error.code !== 'ledger_unwritable') throw error;
    return read(database); // nor does another process write
  }
}

/** A new ledger continues where the log ends. */
function findLastHead(file: string): AuditHead {
  for (const each of listAuditFiles(file).reverse()) {
    let last: AuditHead | undefined;
    for (const line of readLines(each)) {
      const link = readLink(line);
      if (link !== undefined) last = { seq: link.seq, hash: link.hash };
    }
    if (last !== undefined) return last;
  }
  return auditStart;
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

export const entryOfAmendment = (change: Amendment, block: Block): AuditEntry =>
  'comment' in change
    ? { ...entryOfBlock('comment', block), reason: change.comment }
    : { ...entryOfBlock('extend', block), until: change.expiresAt === null ? null : toTime(change.expiresAt) };

const toTime = (ms: number): string => new Date(ms).toISOString();

/** An alarm that was known already is no decision. */
export const entriesOfAlarms = (
  alarms: readonly NewAlarm[],
  { blocks, wasKnown }: Pick<RecordedAlarms, 'blocks' | 'wasKnown'>,
): AuditEntry[] =>
  alarms.flatMap(({ id, by, origin, context }, index) =>
    (wasKnown[index] === true ? [] : (blocks[index] ?? [])).map((block) => ({
      ...entryOfBlock('alarm', block),
      ...(by !== undefined && { by }),
      alarm: id,
      origin,
      context,
      override: block.override,
      ...(block.tags.length > 0 && { tags: block.tags }),
    })),
  );

export const entryOfSettled = (run: string, block: Block): AuditEntry => ({
  ...entryOfBlock('run', block),
  run,
  changed: block.changed,
  trouble: block.failure,
  proof: block.proof,
});
