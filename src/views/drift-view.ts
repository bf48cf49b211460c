import { findAdoptable, isRepairable, type Drift, type RuleOnFirewall } from '../core/drift.js';
import { describeFlow } from '../core/describe-flow.js';
import { blockToJson } from './json.js';
import { warningOf } from './warning.js';

/** The drift found on one firewall. */
export interface DriftReport {
  firewall: string;
  drift: readonly Drift[];
  failure: { exit: number; reason: string } | null;
  /** Why no rule can be added to its configuration. */
  uneditable: string | null;
  /** Whether blocks of protected addresses are released even without a fix. */
  releasesProtected: boolean;
  exit: number;
}

/** One line per difference, and what to do. */
export function driftToText(report: DriftReport, isFixed: boolean): string {
  const { firewall, drift, failure, uneditable, releasesProtected, exit } = report;
  if (failure !== null) return `${firewall}: could not be queried: ${failure.reason}`;
  const obstacle = uneditable === null ? [] : [`${firewall}: no rule can be added: ${uneditable}`];
  if (drift.length === 0) return [`${firewall}: matches the ledger`, ...obstacle].join('\n');
  const isReleased = ({ kind }: Drift): boolean => kind === 'protected' && releasesProtected && !isFixed;
  const lines = drift.map((each) => `${firewall}: ${describeDrift(each)}${isReleased(each) ? '; releasing it' : ''}`);
  const repairable = drift.filter(isRepairable);
  const end =
    isFixed || repairable.every(isReleased)
      ? `${firewall}: ${exit === 0 ? 'now matches the ledger' : 'some differences could not be repaired, see firebreak list'}`
      : `${firewall}: to repair it, run firebreak reconcile --fix`;
  const advice = `${firewall}: a bypassed rule needs a change on the firewall (docs/proof.md)`;
  return [
    ...lines,
    ...(repairable.length > 0 ? [end] : []),
    ...(drift.every(isRepairable) ? [] : [advice]),
    ...obstacle,
  ].join('\n');
}

/** One difference in a sentence. */
export function describeDrift(drift: Drift): string {
  switch (drift.kind) {
    case 'missing':
      return `missing: ${describeFlow(drift.block.flow)} should be blocked but has no rule (tracker ${drift.block.tracker})`;
    case 'not_loaded':
      return `not loaded: the rule for ${describeFlow(drift.block.flow)} is in the configuration but not in pf`;
    case 'changed':
      return `changed: the rule for ${describeFlow(drift.block.flow)} was changed by hand: ${why(drift.rule)}`;
    case 'bypassed':
      return `bypassed: ${describeFlow(drift.block.flow)}: ${warningOf(drift.block) ?? ''}`;
    case 'lingering':
      return `lingering: ${describeFlow(drift.block.flow)} was released but is blocked again (tracker ${drift.block.tracker})`;
    case 'protected':
      return `protected: ${describeFlow(drift.block.flow)} is blocked, but ${drift.reason}`;
    case 'unknown':
      return describeUnknown(drift.rule);
    case 'only_in_pf':
      return `only in pf: the rule for ${drift.flow === null ? 'an unknown flow' : describeFlow(drift.flow)} (tracker ${drift.tracker}) is no longer in the configuration; the next reload removes it`;
  }
}

function describeUnknown(rule: RuleOnFirewall): string {
  const what = `${describeFlow({ ...rule, protocol: rule.protocol || 'any' })} (tracker ${rule.tracker})`;
  if (rule.changed) {
    return `unknown: a rule with Firebreak's tracker was changed by hand (${why(rule)}): ${what}; give it another tracker or delete it`;
  }
  return findAdoptable(rule) === undefined
    ? `unknown: ${what} is not in the ledger, and --fix cannot adopt it; delete the rule on the firewall`
    : `unknown: ${what} is not in the ledger; --fix adopts it`;
}

/** The addresses that these differences are about, without repetitions. */
export function sourcesOf(drift: readonly Drift[]): string[] {
  const sources = drift.flatMap((each) => {
    if ('block' in each) return each.block.flow.source;
    if ('rule' in each) return each.rule.source;
    return each.flow?.source ?? [];
  });
  return [...new Set(sources)];
}

const why = (rule: RuleOnFirewall): string => rule.why ?? 'its content differs';

export const driftToJson = ({ firewall, drift, failure, uneditable, exit }: DriftReport): object => ({
  firewall,
  exit,
  trouble: failure?.reason ?? uneditable,
  drift: drift.map((each) => ({
    kind: each.kind,
    tracker: 'block' in each ? each.block.tracker : 'rule' in each ? each.rule.tracker : each.tracker,
    block: 'block' in each ? blockToJson(each.block) : null,
    message: describeDrift(each),
  })),
});
