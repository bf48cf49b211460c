import type { Block } from '../core/block.js';
import type { Drift } from '../core/drift.js';
import type { Event, FailureEvent } from '../core/event.js';
import {
  causeOf,
  diffIncidents,
  driftCause,
  protectedCause,
  groupCauses,
  isFailureCause,
  type Incident,
  type IncidentChanges,
  type OpenIncident,
} from '../core/incident.js';
import { bypassLevels, isBypassed } from '../core/proof.js';
import type { SettledRun } from '../dispatch/drain-firewall.js';
import type { Ledger } from '../ledger/ledger.js';
import { findListedAlarms } from './alarms.js';
import type { NotifyContext } from './channel.js';
import { isSubscribed, openChannels } from './index.js';
import { notify } from './notify.js';

/** Facts of a run that the ledger does not record. */
interface RunFacts extends Pick<FailureEvent, 'record' | 'step'> {
  /** Whether it left a block that is not as requested. */
  hasFailed: boolean;
}

/**
 * Compares the failures on a firewall after a run with those reported, and queues messages for new, lasting and resolved
 * ones. It reads the ledger, so that the next launcher reports what a killed one did not.
 */
export async function notifyFailures(firewall: string, run: RunFacts, context: NotifyContext): Promise<void> {
  const { ledger } = context;
  if (openChannels(context).length === 0) return;
  const incidents = (await ledger.findIncidents(firewall)).filter(({ cause }) => isFailureCause(cause));
  if (!run.hasFailed && incidents.length === 0) return;
  const failing = await findFailing(firewall, ledger);
  const changes = diffIncidents(await ledger.now(), groupCauses(failing), incidents);
  const { due, resolved } = changes;
  const events: Event[] = [];
  if (due.length > 0) events.push(await toFailure({ firewall, due, failing, run }, context));
  if (resolved.length > 0) events.push(await toRecovery({ firewall, resolved }, context));
  await reportIncidents(firewall, { changes, events }, context);
}

/** The blocks of a firewall that are not as requested. */
async function findFailing(firewall: string, ledger: Ledger): Promise<Block[]> {
  const open = await ledger.findBlocks({ firewalls: [firewall], states: ['pending', 'releasing', 'failed'] });
  return open.filter(({ failure }) => failure !== null);
}

interface FailureFacts {
  firewall: string;
  due: readonly OpenIncident[];
  failing: readonly Block[];
  run: RunFacts;
}

async function toFailure({ firewall, due, failing, run }: FailureFacts, context: NotifyContext): Promise<Event> {
  const { config, ledger, host } = context;
  const causes = new Set(due.map(({ cause }) => cause));
  const blocks = failing.filter((block) => causes.has(causeOf(block)));
  return {
    ...{ kind: 'failure', at: await ledger.now(), host, firewall, causes: due, blocks },
    alarms: await findListedAlarms(blocks, ledger),
    ...{ record: run.record, step: run.step, giveUpMs: config.dispatch.give_up },
  };
}

interface RecoveryFacts {
  firewall: string;
  resolved: readonly Incident[];
}

/** Tells which incidents are over, and what is left. */
export async function toRecovery(facts: RecoveryFacts, { ledger, host }: NotifyContext): Promise<Event> {
  const { firewall, resolved } = facts;
  const failing = await findFailing(firewall, ledger);
  const standing = { firewalls: [firewall], states: ['active'] } as const;
  const bypassed = await ledger.countBlocks({ ...standing, proofs: bypassLevels });
  const active = (await ledger.countBlocks(standing)) - bypassed;
  const at = await ledger.now();
  return { kind: 'recovery', at, host, firewall, resolved, failing, bypassed, active };
}

/** Queues a message for what a run changed and proved, if a channel accepts successes. */
export async function notifySuccess(settled: SettledRun, context: NotifyContext): Promise<void> {
  const { ledger, host } = context;
  const { firewall, run } = settled;
  const blocks = settled.blocks.filter(
    (block) => block.changed && (block.state === 'released' || (block.state === 'active' && !isBypassed(block))),
  );
  if (blocks.length === 0 || !isSubscribed('success', context)) return;
  const alarms = await findListedAlarms(blocks, ledger);
  await notify([{ kind: 'success', at: await ledger.now(), host, firewall, blocks, alarms, run }], context);
}

interface DriftFacts {
  firewall: string;
  drift: readonly Drift[];
  isFixed: boolean;
  /** By default rules that differ; or blocks of addresses that have become protected. */
  cause?: typeof driftCause | typeof protectedCause;
}

/** Compares the drift that was found on a firewall with what was reported. */
export async function notifyDrift(facts: DriftFacts, context: NotifyContext): Promise<void> {
  const { ledger, host } = context;
  const { firewall, drift, isFixed, cause = driftCause } = facts;
  if (openChannels(context).length === 0) return;
  const incidents = (await ledger.findIncidents(firewall)).filter((each) => each.cause === cause);
  const at = await ledger.now();
  const causes = new Map(drift.length > 0 ? [[cause, { beganAt: at }]] : []);
  const changes = diffIncidents(at, causes, incidents);
  const events = changes.due.map(
    ({ beganAt }) => ({ kind: 'drift', at, host, firewall, drift, isFixed, beganAt }) as const,
  );
  await reportIncidents(firewall, { changes, events }, context);
}

/** Records the changes together with the messages that report them. */
export async function reportIncidents(
  firewall: string,
  { changes, events }: { changes: IncidentChanges; events: readonly Event[] },
  context: NotifyContext,
): Promise<void> {
  if (changes.due.length + changes.resolved.length === 0) return;
  await notify(events, context, (messages) => context.ledger.recordIncidents(firewall, changes, messages));
}
