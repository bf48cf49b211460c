import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FirebreakError } from '../core/errors.js';
import { formatSpan } from '../core/duration.js';
import { formatLocal } from '../core/local-time.js';
import { failWith, ok, warn, type Check } from '../core/check.js';
import { openLedger } from '../ledger/index.js';
import type { Ledger } from '../ledger/ledger.js';

/** `firebreak expire` runs each minute; after this time without it, something prevents it. */
const lateMs = 5 * 60_000;

/** The exit code of a block that is recorded but held. */
const heldExit = 7;

/** Checks by the ledger whether changes are frozen, and when `expire` last ran; empty before the first alarm. */
export async function checkActivity(stateDir: string): Promise<Check[]> {
  const file = join(stateDir, 'ledger.db');
  if (!existsSync(file)) return [];
  try {
    const ledger = await openLedger({ file });
    try {
      return [...(await checkFreeze(ledger)), await checkExpire(ledger)];
    } finally {
      await ledger.close();
    }
  } catch (error) {
    if (error instanceof FirebreakError) return []; // the check of the ledger reports the problem
    throw error;
  }
}

async function checkFreeze(ledger: Ledger): Promise<Check[]> {
  const freeze = await ledger.findFreeze();
  if (freeze === undefined) return [];
  const { at, by, reason } = freeze;
  const why = reason === '' ? '' : ` (${reason})`;
  const fail = failWith(heldExit);
  return [fail('freeze', `all changes have been frozen since ${formatLocal(at)} by ${by}${why}`, 'firebreak unfreeze')];
}

async function checkExpire(ledger: Ledger): Promise<Check> {
  const name = 'expire';
  const { lastExpireAt } = await ledger.findOverview([]);
  const now = await ledger.now();
  if (lastExpireAt !== null && now - lastExpireAt <= lateMs)
    return ok(name, `last ran ${formatSpan(now - lastExpireAt)} ago`);
  return warn(
    name,
    lastExpireAt === null
      ? 'has never run'
      : `last ran ${formatSpan(now - lastExpireAt)} ago, but should run each minute`,
    'check the timer above and journalctl -u firebreak-expire, or run firebreak run',
  );
}
