import type { History } from '../core/stats.js';
import { toTime } from './json.js';

/** The report as JSON (docs/operations.md, "What happened"). */
export const historyToJson = (figures: History): object => ({
  since: figures.since > 0 ? toTime(figures.since) : null,
  until: toTime(figures.until),
  alarms: figures.alarms,
  outcomes: figures.outcomes,
  proof: figures.proof && {
    median_ms: figures.proof.medianMs,
    p95_ms: figures.proof.p95Ms,
    slowest_ms: figures.proof.slowestMs,
  },
  hours: figures.hours.map((hour) => ({ ...hour, at: toTime(hour.at) })),
  causes: figures.causes,
  sources: figures.sources,
  destinations: figures.destinations,
  tags: figures.tags.map(({ address, blocks, alarms }) => ({ tag: address, blocks, alarms })),
  drift: figures.drift.map(({ firewall, times, lastAt, differences }) => ({
    firewall,
    times,
    last_at: toTime(lastAt),
    differences,
  })),
  now: {
    active: figures.now.active,
    bypassed: figures.now.bypassed,
    under_way: figures.now.underWay,
    failing: figures.now.failing,
    given_up: figures.now.givenUp,
    held: figures.now.held,
  },
});
