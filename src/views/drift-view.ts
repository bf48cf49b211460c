import type { Drift, RuleOnFirewall } from '../core/drift.js';
import { describeFlow } from '../core/describe-flow.js';
import { blockToJson } from './json.js';

/** One firewall's drift, as it was found. */
export interface DriftReport {
  firewall: string;
  drift: readonly Drift[];
  failure: { exit: number; reason: string } | null;
  exit: number;
}

/** In words, a line for each thing that is not as it should be. */
export function driftToText({ firewall, drift, failure, exit }: DriftReport, isFixed: boolean): string {
  if (failure !== null) return `${firewall}: could not be asked: ${failure.reason}`;
  if (drift.length === 0) return `${firewall}: as the ledger says`;
  const lines = drift.map((each) => `${firewall}: ${describeDrift(each)}`);
  const end = isFixed
    ? `${firewall}: ${exit === 0 ? 'now as the ledger says' : 'not all of it could be mended: firebreak list'}`
    : `${firewall}: firebreak reconcile --fix mends it`;
  return [...lines, end].join('\n');
}

/** One difference in a sentence. */
export function describeDrift(drift: Drift): string {
  switch (drift.kind) {
    case 'missing':
      return `missing: ${describeFlow(drift.block.flow)} should be blocked and has no rule (tracker ${drift.block.tracker})`;
    case 'not_loaded':
      return `not loaded: the rule of ${describeFlow(drift.block.flow)} stands, but pf does not run it`;
    case 'changed':
      return `changed: the rule of ${describeFlow(drift.block.flow)} was changed by hand: ${why(drift.rule)}`;
    case 'lingering':
      return `lingering: ${describeFlow(drift.block.flow)} was released and is blocked again (tracker ${drift.block.tracker})`;
    case 'unknown':
      return drift.rule.changed
        ? `unknown: a rule with our tracker ${drift.rule.tracker} was changed by hand (${why(drift.rule)}): give it another tracker, or delete it`
        : `unknown: the ledger does not know the rule with tracker ${drift.rule.tracker}`;
    case 'only_in_pf':
      return `only in pf: tracker ${drift.tracker} is no longer in the configuration; the next reload ends it`;
  }
}

const why = (rule: RuleOnFirewall): string => rule.why ?? 'it says something else';

export const driftToJson = ({ firewall, drift, failure, exit }: DriftReport): object => ({
  firewall,
  exit,
  trouble: failure?.reason ?? null,
  drift: drift.map((each) => ({
    kind: each.kind,
    tracker: 'block' in each ? each.block.tracker : 'rule' in each ? each.rule.tracker : each.tracker,
    block: 'block' in each ? blockToJson(each.block) : null,
    message: describeDrift(each),
  })),
});
