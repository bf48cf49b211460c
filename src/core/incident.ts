import type { Block } from './block.js';
import { isBypassLevel } from './proof.js';

/** A failure of one firewall, for one cause, that was reported. */
export interface Incident {
  cause: string;
  beganAt: number;
  /** How often it was reported, and when last. */
  told: number;
  toldAt: number;
}

/** A cause that is reported, and when it began. */
export type OpenIncident = Pick<Incident, 'cause' | 'beganAt'>;

/** What to report: causes that are new or were reported too long ago, and incidents that are over. */
export interface IncidentChanges {
  due: OpenIncident[];
  resolved: Incident[];
}

const hour = 3_600_000;

/** How long to wait after the first, second, … report; the last one repeats. */
const intervals = [hour, 4 * hour, 12 * hour, 24 * hour] as const;

/** Found by querying the firewall, not by a run: a successful run does not end it. */
export const driftCause = 'drift';
export const protectedCause = 'protected';

/** A bypassed rule's cause is the level of its proof. */
export const isBypassCause = isBypassLevel;

/** Whether it is about blocks that are not as requested. */
export const isFailureCause = (cause: string): boolean =>
  ![driftCause, protectedCause].includes(cause) && !isBypassCause(cause);

const isDueAgain = ({ told, toldAt }: Incident, now: number): boolean =>
  now - toldAt >= (intervals[Math.min(told, intervals.length) - 1] ?? 24 * hour);

/** The cause of a block's failure as a code; blocks with the same one are reported together. */
export const causeOf = ({ state, failure, failureCode }: Block): string =>
  state === 'failed' ? 'given_up' : (failureCode ?? failure ?? 'unknown');

/**
 * Compares the causes that fail now with those that were reported. Each is reported once, then at growing intervals, and
 * when it is over.
 */
export function diffIncidents(
  now: number,
  causes: ReadonlyMap<string, { beganAt: number }>,
  incidents: readonly Incident[],
): IncidentChanges {
  const known = new Map(incidents.map((incident) => [incident.cause, incident]));
  const due = [...causes].flatMap(([cause, { beganAt }]) => {
    const incident = known.get(cause);
    if (incident !== undefined && !isDueAgain(incident, now)) return [];
    return [{ cause, beganAt: incident?.beganAt ?? beganAt }];
  });
  return { due, resolved: incidents.filter(({ cause }) => !causes.has(cause)) };
}

/** The causes of failing blocks, each with the time it began. */
export function groupCauses(failing: readonly Block[]): Map<string, { beganAt: number }> {
  const causes = new Map<string, { beganAt: number }>();
  for (const block of failing) {
    const began = block.failingSince ?? block.updatedAt;
    const cause = causeOf(block);
    causes.set(cause, { beganAt: Math.min(causes.get(cause)?.beganAt ?? began, began) });
  }
  return causes;
}

/** The levels of bypassed rules, each with the time at which one was first found. */
export function groupBypassed(bypassed: readonly Block[]): Map<string, { beganAt: number }> {
  const causes = new Map<string, { beganAt: number }>();
  for (const { proof, updatedAt } of bypassed) {
    if (proof !== null) causes.set(proof, { beganAt: Math.min(causes.get(proof)?.beganAt ?? updatedAt, updatedAt) });
  }
  return causes;
}
