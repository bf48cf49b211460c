import { readFileSync } from 'node:fs';
import { findBreaks, readLink, type AuditHead } from '../core/audit.js';
import { describeUnreadable } from '../core/describe.js';
import { FirebreakError, quoteBack } from '../core/errors.js';
import { readAuditKey } from '../ledger/sql/audit-key.js';
import { formatLocal } from '../core/local-time.js';
import { toTable } from '../views/table.js';
import type { CommandContext, CommandResult } from './result.js';
import { auditFileOf, auditKeyOf, withLedger } from './context.js';
import { widthOf } from '../runtime/terminal.js';

export interface AuditOptions {
  /** Files that were moved away, the oldest first; the one in use follows them. */
  older: readonly string[];
  verify: boolean;
  /** `SEQ:HASH` as a digest or syslog told it; the hash may be cut. */
  anchor?: string | undefined;
}

/** How many entries are shown. */
const shown = 20;

/** Shows the last decisions, or checks that none was forged or cut: exit 1 where one was. */
export async function audit({ older, verify, anchor }: AuditOptions, context: CommandContext): Promise<CommandResult> {
  const told = anchor === undefined ? undefined : parseAnchor(anchor);
  return withLedger(context, async ({ config, ledger }) => {
    // Read after the head, the file could be ahead of it.
    const lines = [...older, auditFileOf(config)].flatMap((file, index) => readLines(file, index < older.length));
    const end = await ledger.findAuditHead();
    if (!verify && told === undefined) return show(lines);
    const breaks = findBreaks(lines, end, {
      key: readAuditKey(auditKeyOf(config)),
      isKeyed: end?.isKeyed ?? false,
      oldestBlock: await ledger.findOldestBlock(),
      anchor: told,
    });
    const head = end === undefined ? null : `${end.seq}:${end.hash}`;
    const json = { entries: lines.length, breaks, head };
    const count = `${lines.length} entries`;
    if (breaks.length === 0) return { exit: 0, text: `${count}: whole`, json };
    return { exit: 1, text: [`${count}: NOT whole`, ...breaks].join('\n'), json };
  });
}

/** @throws FirebreakError usage */
function parseAnchor(text: string): AuditHead {
  const [, seq = '', hash = ''] = /^([1-9][0-9]{0,14}):([0-9a-f]{12,64})$/.exec(text) ?? [];
  if (seq !== '') return { seq: Number(seq), hash };
  throw new FirebreakError(
    'usage',
    `--anchor: expected NUMBER:HASH as a digest or syslog told it, got ${quoteBack(text)}`,
  );
}

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

const headings = ['AT', 'WHAT', 'BY', 'FLOW', 'STATE', 'WHY'];

/** The log is in UTC; who reads it lives in a zone. */
const atHome = (at: unknown): unknown => {
  const ms = typeof at === 'string' ? Date.parse(at) : NaN;
  return Number.isNaN(ms) ? at : formatLocal(ms);
};

function show(lines: readonly string[]): CommandResult {
  const entries = lines
    .slice(-shown)
    .filter((line) => readLink(line) !== undefined)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const word = (value: unknown): string => (typeof value === 'string' ? value : '');
  const rows = entries.map((entry) =>
    [
      atHome(entry['at']),
      entry['event'],
      entry['by'],
      entry['flow'],
      entry['state'] ?? entry['command'],
      entry['reason'],
    ].map(word),
  );
  return {
    exit: 0,
    text: rows.length === 0 ? 'no decisions' : toTable(headings, rows, new Set(['AT']), widthOf()),
    json: { entries },
  };
}
