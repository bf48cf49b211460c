import { ulid } from 'ulid';
import { isOver, type Block } from '../core/block.js';
import { FirebreakError } from '../core/errors.js';
import type { Answer, RunSummary } from '../core/outcome.js';
import { spawnWorker } from '../dispatch/worker.js';
import type { Freeze, Lease, Ledger } from '../ledger/ledger.js';
import { sendLater } from '../notify/deliver.js';
import { notifyHeld } from '../notify/held.js';
import type { App } from '../runtime/app.js';
import { saveKnown } from './fallback.js';
import { describeFreeze } from './freeze.js';

/** What a request recorded in the ledger: the blocks it concerns, and the leases to apply them with. */
export interface Recorded {
  blocks: Block[];
  leases: Lease[];
  /** Whether the first block of a storm was held. */
  isFirstHeld?: boolean;
  /** Ids of blocks that this same event had already requested. */
  repeated?: readonly string[];
}

/** The same with the owner of the leases. */
interface Claimed extends Recorded {
  owner: string;
}

export interface SubmitOptions {
  /** Waits for the proof; otherwise a separate process applies the changes. */
  wait: boolean;
  /** Rewrites rules that were changed by hand. */
  fix?: boolean;
}

/**
 * The only path for changes to a firewall: record, apply, answer. An alarm, a list, a release, a decision and a
 * repair differ only in what they record.
 * @param record writes the request to the ledger, and acquires leases in the name of the given owner
 * @throws FirebreakError if the request was not recorded; once it was, a busy ledger answers "queued"
 */
export async function submit(
  app: App,
  record: (owner: string) => Promise<Recorded>,
  options: SubmitOptions,
): Promise<Answer> {
  const owner = ulid();
  const recorded = { ...(await record(owner)), owner };
  const answer = { check: false, isAwaited: options.wait, repeated: recorded.repeated ?? [] };
  try {
    if (recorded.isFirstHeld === true) await notifyHeld(app);
    const blocks = await applyRecorded(recorded, app, options);
    const run = await findRun(recorded.blocks, blocks, app.ledger);
    await saveKnown(app);
    return { ...answer, blocks, run };
  } catch (error) {
    if (!(error instanceof FirebreakError) || error.code !== 'ledger_busy') throw error;
    return { ...answer, blocks: recorded.blocks, run: null };
  }
}

/** @returns the blocks afterwards; `changed` says whether this request changed the firewall */
async function applyRecorded(recorded: Claimed, app: App, options: SubmitOptions): Promise<Block[]> {
  const applied = await runOrDelegate(recorded, app, options);
  await sendLater(app);
  const frozen = await app.ledger.findFreeze();
  const current = frozen === undefined ? applied : applied.map((block) => asFrozen(block, frozen));
  return current.map((block, index) => ({ ...block, changed: block.changed && wasRun(recorded.blocks[index], block) }));
}

/** Applies what was recorded: in our own run, in that of another process, or in a separate process. */
async function runOrDelegate(recorded: Claimed, app: App, { wait, fix = false }: SubmitOptions): Promise<Block[]> {
  const { blocks, leases } = recorded;
  if (leases.length === 0) {
    const isIdle = blocks.every(({ dueAt }) => dueAt === null);
    if (isIdle || (await app.ledger.findFreeze()) !== undefined) return blocks;
  }
  if (!wait) {
    if (leases.length > 0) spawnWorker(recorded.owner, app);
    return blocks;
  }
  // A repeated alarm needs no run, and does not load what one needs.
  const [{ applyAndWait }, { withRunRecorder }] = await Promise.all([
    import('../dispatch/wait.js'),
    import('../notify/run-recorder.js'),
  ]);
  return withRunRecorder(app, (onSettled) => applyAndWait(recorded, app, { onSettled, fix }));
}

/** Changes due for a block wait for `unfreeze`. */
const asFrozen = (block: Block, freeze: Freeze): Block =>
  block.dueAt === null || isOver(block) || block.doneRevision >= block.revision
    ? block
    : { ...block, failure: 'frozen', doneRevision: block.revision, changed: false, reason: describeFreeze(freeze) };

/** The slowest of the runs that the request needed, or null if it needed none. */
async function findRun(
  requested: readonly Block[],
  current: readonly Block[],
  ledger: Ledger,
): Promise<RunSummary | null> {
  const ids = new Set(current.flatMap((block, index) => (wasRun(requested[index], block) ? (block.run ?? []) : [])));
  const runs = await Promise.all([...ids].map((id) => ledger.findRun(id)));
  const ended = runs.flatMap((run) =>
    run?.ms === null || run === undefined ? [] : { id: run.id, ms: run.ms, batch: run.batch },
  );
  return ended.sort((one, other) => other.ms - one.ms)[0] ?? null;
}

const wasRun = (requested: Block | undefined, now: Block): boolean =>
  requested !== undefined && requested.doneRevision < requested.revision && now.doneRevision >= requested.revision;
