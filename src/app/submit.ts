import { isOver, type Block } from '../core/block.js';
import { FirebreakError } from '../core/errors.js';
import type { Answer, RunSummary } from '../core/outcome.js';
import { spawnWorker } from '../dispatch/worker.js';
import { parseAlarm, type AlarmRequest } from '../intake/alarm.js';
import type { Freeze, Ledger } from '../ledger/ledger.js';
import { newId } from '../ledger/new-id.js';
import { sendLater } from '../notify/deliver.js';
import { notifyHeld } from '../notify/held.js';
import type { App, Host } from '../runtime/app.js';
import { openLedger } from './context.js';
import { saveKnown, takeSpooled } from './fallback.js';
import { describeFreeze } from './freeze.js';
import { parseOverride, recordAlarm, type BlockOptions, type Recorded } from './record.js';

export interface SubmitOptions {
  /** Waits for the proof; otherwise a separate process applies the changes. */
  wait: boolean;
  /** Rewrites rules that were changed by hand. */
  fix?: boolean;
}

/** Handles one alarm from end to end: request -> policy -> ledger -> run -> answer. */
export async function submitAlarm(request: AlarmRequest, options: BlockOptions, host: Host): Promise<Answer> {
  const alarm = parseAlarm(request, host.config);
  const override = parseOverride(options.override);
  const target = { firewalls: options.firewalls, override, isByHand: options.isByHand ?? false };
  if (options.check) return (await import('./dry-run.js')).dryRunBlock(alarm, target, host);
  const id = options.alarm ?? newId();
  try {
    const ledger = await openLedger(host);
    try {
      const app = { ...host, ledger };
      await takeSpooled(app);
      const record = (owner: string): Promise<Recorded> => recordAlarm({ id, alarm, target, owner }, options, app);
      return { ...(await submit(app, record, options)), alarm: id };
    } finally {
      await ledger.close();
    }
  } catch (error) {
    // Busy is not broken, nor is another host's: a run that the ledger does not know could conflict with those that it does.
    const isBroken =
      error instanceof FirebreakError &&
      error.code.startsWith('ledger_') &&
      !['ledger_busy', 'ledger_foreign'].includes(error.code);
    if (!isBroken) throw error;
    const { applyUnrecorded } = await import('./apply-unrecorded.js');
    return applyUnrecorded({ id, alarm, target, error }, host);
  }
}

/**
 * Handles several alarms of one caller, one after the other, as one answer.
 * @throws FirebreakError alarm_invalid before any is recorded
 */
export async function submitAlarms(
  requests: readonly AlarmRequest[],
  options: BlockOptions,
  host: Host,
): Promise<Answer> {
  for (const request of requests) parseAlarm(request, host.config);
  const answers: Answer[] = [];
  for (const request of requests) answers.push(await submitAlarm(request, options, host));
  const [first] = answers;
  if (first === undefined || answers.length === 1) return first ?? { check: false, blocks: [], run: null };
  const exit = answers.find((answer) => answer.exit !== undefined)?.exit;
  return {
    ...first,
    blocks: answers.flatMap(({ blocks }) => blocks),
    repeated: answers.flatMap(({ repeated = [] }) => repeated),
    extended: answers.flatMap(({ extended = [] }) => extended),
    run: answers.flatMap(({ run }) => run ?? []).sort((one, other) => other.ms - one.ms)[0] ?? null,
    ...(exit !== undefined && { exit }),
  };
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
  { wait, fix = false }: SubmitOptions,
): Promise<Answer> {
  const owner = newId();
  const recorded = await record(owner);
  const requiredProof = app.config.policy.require_proof;
  const answer = {
    check: false,
    isAwaited: wait,
    requiredProof,
    repeated: recorded.repeated ?? [],
    extended: recorded.extended ?? [],
  };
  let { blocks } = recorded;
  try {
    if (recorded.isFirstHeld === true) await notifyHeld(app);
    if (await needsRun(recorded, app.ledger)) {
      if (wait) {
        // A repeated alarm needs no run, and does not load what one needs.
        const [{ applyAndWait }, { openRunRecorder }] = await Promise.all([
          import('../dispatch/wait.js'),
          import('../notify/run-recorder.js'),
        ]);
        const { onSettled, close } = openRunRecorder(app);
        blocks = await applyAndWait(recorded, app, { onSettled, fix }).finally(close);
      } else if (recorded.leases.length > 0) spawnWorker(owner, app);
    }
    await sendLater(app);
    const current = await explainFreeze(blocks, app.ledger);
    const run = await findRun(recorded.blocks, current, app.ledger);
    await saveKnown(app);
    return { ...answer, blocks: current.map((block, index) => ownChange(recorded.blocks[index], block)), run };
  } catch (error) {
    // The request is recorded: another process or a retry completes it.
    if (!(error instanceof FirebreakError) || !error.code.startsWith('ledger_')) throw error;
    const isBusy = error.code === 'ledger_busy';
    return { ...answer, blocks: isBusy ? blocks : blocks.map((block) => asUnsettled(block, error)), run: null };
  }
}

/** A run may have applied it, but the ledger could not record the result: a later run checks the firewall. */
const asUnsettled = (block: Block, { code, message }: FirebreakError): Block =>
  isOver(block) || block.dueAt === null || block.doneRevision >= block.revision
    ? block
    : {
        ...block,
        ...{ failure: 'failed', failureCode: code, doneRevision: block.revision, changed: false },
        reason: `recorded, but its result is not: ${message}`,
      };

/** Whether something is due that this process or another is to apply. */
async function needsRun({ blocks, leases }: Recorded, ledger: Ledger): Promise<boolean> {
  if (leases.length > 0) return true;
  return blocks.some(({ dueAt }) => dueAt !== null) && (await ledger.findFreeze()) === undefined;
}

/** `changed` says whether this request changed the firewall. */
const ownChange = (requested: Block | undefined, now: Block): Block =>
  now.changed && !wasRun(requested, now) ? { ...now, changed: false } : now;

async function explainFreeze(blocks: readonly Block[], ledger: Ledger): Promise<Block[]> {
  const freeze = await ledger.findFreeze();
  return freeze === undefined ? [...blocks] : blocks.map((block) => asFrozen(block, freeze));
}

/** Changes due for a block wait for `unfreeze`. */
const asFrozen = (block: Block, freeze: Freeze): Block =>
  block.dueAt === null || isOver(block) || block.doneRevision >= block.revision
    ? block
    : { ...block, failure: 'frozen', doneRevision: block.revision, changed: false, reason: describeFreeze(freeze) };

/** The slowest of the runs that the request needed, or null if it needed none. */
export async function findRun(
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
