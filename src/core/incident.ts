import type { Block } from './block.js';

/** What is wrong with one firewall, for one cause, and was told. */
export interface Incident {
  cause: string;
  beganAt: number;
  /** How often it was told, and when last. */
  told: number;
  toldAt: number;
}

/** What there is to tell: causes that are new or told too long ago, and incidents that are over. */
export interface News {
  told: { cause: string; beganAt: number }[];
  over: Incident[];
}

const hour = 3_600_000;

/** After it was told once, twice, …; the last one stays. */
const intervals = [hour, 4 * hour, 12 * hour, 24 * hour] as const;

/** Found by asking the firewall, not by a run: a run that goes well does not end it. */
export const driftCause = 'drift';

const isDueAgain = ({ told, toldAt }: Incident, now: number): boolean =>
  now - toldAt >= (intervals[Math.min(told, intervals.length) - 1] ?? 24 * hour);

/** One word for why a block is not as it is wanted; blocks of one cause are told in one mail. */
export const causeOf = ({ state, trouble, code }: Block): string =>
  state === 'failed' ? 'given_up' : (code ?? trouble ?? 'unknown');

/** Compares what fails now with what was told. Each cause is told once, then at growing intervals, and when it is over. */
export function findNews(
  now: number,
  causes: ReadonlyMap<string, { beganAt: number }>,
  incidents: readonly Incident[],
): News {
  const known = new Map(incidents.map((incident) => [incident.cause, incident]));
  const told = [...causes].flatMap(([cause, { beganAt }]) => {
    const incident = known.get(cause);
    if (incident !== undefined && !isDueAgain(incident, now)) return [];
    return [{ cause, beganAt: incident?.beganAt ?? beganAt }];
  });
  return { told, over: incidents.filter(({ cause }) => !causes.has(cause)) };
}

/** The causes of blocks that fail, each with when it began. */
export function findCauses(failing: readonly Block[]): Map<string, { beganAt: number }> {
  const causes = new Map<string, { beganAt: number }>();
  for (const block of failing) {
    const began = block.failingSince ?? block.updatedAt;
    const cause = causeOf(block);
    causes.set(cause, { beganAt: Math.min(causes.get(cause)?.beganAt ?? began, began) });
  }
  return causes;
}
