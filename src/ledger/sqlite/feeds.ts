import type { OutcomeKind } from '../../core/outcome.js';
import type { OutcomeRecord } from '../../core/stats.js';
import type { Database } from './database.js';
import { getBlock } from './rows.js';

/** A feed that is new does not tell a whole history, and one that was away for longer leaves a gap. */
const beginMs = 600_000;
const oldestMs = 7 * 24 * 3_600_000;
const mostAtOnce = 500;

/** A look without a transaction: most of the time there is nothing, or somebody is at it. */
export function hasOutcomes(database: Database, feed: string, sender: string, now: number): boolean {
  const row = database.get('SELECT seq, sender, held_until FROM feed WHERE name = ?', feed);
  if (row === undefined) return true;
  if (row['sender'] === sender) return true;
  if (Number(row['held_until']) > now) return false;
  return (
    database.get('SELECT 1 FROM outcome WHERE seq > ? AND at >= ? LIMIT 1', row['seq'] ?? 0, now - oldestMs) !==
    undefined
  );
}

export function claimOutcomes(
  database: Database,
  { feed, sender, forMs }: { feed: string; sender: string; forMs: number },
  now: number,
): OutcomeRecord[] {
  database.run(
    `INSERT OR IGNORE INTO feed (name, seq, sender, held_until)
     VALUES (?, coalesce((SELECT max(seq) FROM outcome WHERE at < ?), 0), NULL, 0)`,
    ...[feed, now - beginMs],
  );
  const row = database.get('SELECT seq, sender, held_until FROM feed WHERE name = ?', feed);
  if (row?.['sender'] !== sender && Number(row?.['held_until']) > now) return [];
  const found = database.all(
    'SELECT * FROM outcome WHERE seq > ? AND at >= ? ORDER BY seq LIMIT ?',
    ...[Number(row?.['seq']), now - oldestMs, mostAtOnce],
  );
  const [holder, until] = found.length === 0 ? [null, 0] : [sender, now + forMs];
  database.run('UPDATE feed SET sender = ?, held_until = ? WHERE name = ?', holder, until, feed);
  return found.map((each) => ({
    seq: Number(each['seq']),
    at: Number(each['at']),
    kind: each['kind'] as OutcomeKind, // as noteOutcome wrote it
    ms: Number(each['ms']),
    code: each['code'] as string | null,
    reason: each['reason'] as string | null,
    block: getBlock(database, String(each['block'])),
  }));
}

export function passOutcomes(
  database: Database,
  { feed, sender, seq, restMs }: { feed: string; sender: string; seq?: number; restMs?: number },
  now: number,
): void {
  if (seq !== undefined)
    database.run('UPDATE feed SET seq = max(seq, ?) WHERE name = ? AND sender = ?', seq, feed, sender);
  if (restMs !== undefined)
    database.run(
      'UPDATE feed SET sender = NULL, held_until = ? WHERE name = ? AND sender = ?',
      now + restMs,
      feed,
      sender,
    );
}
