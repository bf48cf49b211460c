import { ulid } from 'ulid';
import type { StandingRule, StatusResult } from '../platforms/ansible/events.js';
import type { RunResult } from '../platforms/ansible/run-result.js';
import type { FirewallConfig } from '../config/schema.js';
import { selectFirewalls } from '../config/select.js';
import { currentStates } from '../core/block.js';
import { findAdoptable, isRepairable, searchDrift, type Drift, type DriftSearch } from '../core/drift.js';
import { exitCodeOfAll } from '../core/outcome.js';
import { resultFor } from '../dispatch/block-result.js';
import { protectedCause } from '../core/incident.js';
import { findProtected } from '../dispatch/find-protected.js';
import { readFirewall } from '../dispatch/read-status.js';
import { acquireLeases } from '../dispatch/wait.js';
import type { Ledger, NewAlarm } from '../ledger/ledger.js';
import { recordAddresses } from '../notify/addresses.js';
import { notifyBypassed } from '../notify/bypassed.js';
import { sendLater } from '../notify/deliver.js';
import { notifyDrift } from '../notify/incidents.js';
import type { App } from '../runtime/app.js';
import type { Recorded } from './record.js';
import { releaseAll } from './release-protected.js';
import { submit } from './submit.js';

export interface ReconcileOptions {
  fix: boolean;
  firewalls: readonly string[];
}

/** The differences of one firewall. */
export interface Reconciled {
  firewall: string;
  drift: Drift<StandingRule>[];
  /** Why the firewall could not be queried, with its exit code. */
  failure: { exit: number; reason: string } | null;
  /** Why no rule can be added to its configuration now. */
  uneditable: string | null;
  /** Whether blocks of protected addresses are released even without a fix. */
  releasesProtected: boolean;
  /** After a fix: for remaining differences. */
  exit: number;
}

/**
 * Compares ledger and firewalls; with `fix` it makes the firewalls match the ledger. Without, it only releases what has
 * become protected, if the policy says so.
 */
export async function reconcile({ fix, firewalls }: ReconcileOptions, app: App): Promise<Reconciled[]> {
  const chosen = selectFirewalls(app.config, firewalls);
  app.catchSignals();
  const found = await Promise.all(chosen.map(([name, settings]) => reconcileFirewall({ name, settings }, app, fix)));
  await sendLater(app);
  return found;
}

async function reconcileFirewall(
  { name, settings }: { name: string; settings: FirewallConfig },
  app: App,
  fix: boolean,
): Promise<Reconciled> {
  const { ledger, config } = app;
  const releasesProtected = config.policy.on_protected === 'release';
  const askedAt = await ledger.now();
  const status = await readFirewall(name, settings, app);
  if (status.kind !== 'done')
    return { firewall: name, drift: [], uneditable: null, releasesProtected, ...failureOf(status) };
  await recordAddresses(name, status.result, app);
  const search = searchDrift(status.result);
  const differences = await findDrift(name, search, ledger);
  await ledger.recordProofs(search.proofs, askedAt);
  await ledger.recordPackets(search.packets);
  await notifyBypassed({ firewall: name, hasBypassed: true }, app);
  const shielded = await findProtected(name, app);
  const covered = new Set(shielded.map(({ block }) => block.id));
  const drift = [...differences.filter((each) => !('block' in each && covered.has(each.block.id))), ...shielded];
  const foreign = drift.filter(({ kind }) => kind !== 'bypassed'); // of the others notifyBypassed has told
  if (foreign.length > 0) await ledger.recordDrift(name, foreign.length);
  const isOfRules = ({ kind }: Drift): boolean => kind !== 'protected';
  await notifyDrift({ firewall: name, drift: foreign.filter(isOfRules), isFixed: fix }, app);
  const isReleased = fix || releasesProtected;
  await notifyDrift({ firewall: name, drift: shielded, isFixed: isReleased, cause: protectedCause }, app);
  const due = drift.filter((each) => isRepairable(each) && (isOfRules(each) ? fix : isReleased));
  const uneditable = status.result.edit_error?.message ?? null;
  const found = { firewall: name, drift, failure: null, uneditable, releasesProtected };
  const isWrong = drift.length > 0 || uneditable !== null;
  if (due.length === 0) return { ...found, exit: isWrong ? 5 : 0 };
  const { blocks } = await submit(app, (owner) => recordRepair({ firewall: name, drift: due, owner }, app), {
    wait: true,
    fix,
  });
  const isLeft =
    due.length < drift.length ||
    drift.some((each) => each.kind === 'unknown' && adoptRule(name, each.rule, app) === undefined);
  return {
    ...found,
    exit: Math.max(exitCodeOfAll(blocks, { isAwaited: true }), isLeft || uneditable !== null ? 5 : 0),
  };
}

/** Reads page by page: a ledger may have hundreds of thousands of blocks. */
async function findDrift(
  firewall: string,
  search: DriftSearch<StandingRule>,
  ledger: Ledger,
): Promise<Drift<StandingRule>[]> {
  const firewalls = [firewall];
  for await (const page of ledger.readBlocks({ firewalls, states: currentStates }))
    for (const block of page) search.compare(block);
  const trackers = search.unclaimed();
  if (trackers.length === 0) return search.finish([]);
  return search.finish(await ledger.findBlocks({ firewalls, states: ['released'], trackers }));
}

/** Rechecks blocks that the ledger knows, and adopts unknown rules that are exactly as Firebreak writes them. */
async function recordRepair(
  { firewall, drift, owner }: { firewall: string; drift: readonly Drift<StandingRule>[]; owner: string },
  app: App,
): Promise<Recorded> {
  const { ledger } = app;
  const released = await releaseAll(
    drift.filter((each) => each.kind === 'protected'),
    app,
  );
  const ids = drift.flatMap((each) => ('block' in each && each.kind !== 'protected' ? each.block.id : []));
  await ledger.recheck(ids);
  const alarms = drift.flatMap((each) => (each.kind === 'unknown' ? (adoptRule(firewall, each.rule, app) ?? []) : []));
  const adopted = await ledger.recordAlarms(alarms, { recheckMs: 0 });
  const known = ids.length > 0 ? await ledger.findBlocks({ ids }) : [];
  return {
    blocks: [...released, ...known, ...adopted.blocks.flat()],
    leases: await acquireLeases([firewall], owner, ledger),
  };
}

/** An alarm that requests an unknown rule; undefined if the rule was changed by hand. */
function adoptRule(firewall: string, rule: StandingRule, { config, actor }: App): NewAlarm | undefined {
  const flow = findAdoptable(rule);
  if (flow === undefined) return undefined;
  const block = { firewall, flow, description: rule.description, durationMs: config.defaults.duration };
  return { id: ulid(), origin: `${actor}, by reconcile`, context: {}, blocks: [block] };
}

function failureOf(status: Exclude<RunResult<StatusResult>, { kind: 'done' }>): Pick<Reconciled, 'failure' | 'exit'> {
  const result = resultFor({ tracker: 0, desired: 'present' }, status, true);
  if (result.kind !== 'failed') throw new Error('a run that failed has no failure');
  const exit = { unreachable: 4, failed: 5, stopped: 6, frozen: 7 }[result.failure];
  return { failure: { exit, reason: result.reason }, exit };
}
