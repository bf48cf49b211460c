import type { Block } from './block.js';

/** A rule of ours as it is on a firewall. */
export interface RuleOnFirewall {
  tracker: number;
  /** It was changed by hand, or was never ours. */
  changed: boolean;
  why: string | null;
  /** pf has loaded it. */
  proven: boolean;
}

/** A difference between ledger and firewall. */
export type Drift<R extends RuleOnFirewall = RuleOnFirewall> =
  | { kind: 'missing'; block: Block }
  | { kind: 'not_loaded'; block: Block }
  | { kind: 'changed'; block: Block; rule: R }
  | { kind: 'lingering'; block: Block; rule: R }
  /** Its address has become protected; the reason is a sentence. */
  | { kind: 'protected'; block: Block; reason: string }
  | { kind: 'unknown'; rule: R }
  | { kind: 'only_in_pf'; tracker: number };

export interface FirewallRules<R extends RuleOnFirewall> {
  standing: readonly R[];
  /** Trackers that pf has loaded but the configuration does not contain. */
  only_in_pf: readonly number[];
}

/**
 * Compares the blocks in force on one firewall by the ledger with its rules.
 * Blocks that a run has yet to apply are not drift, whatever the firewall has.
 */
export function findDrift<R extends RuleOnFirewall>(blocks: readonly Block[], found: FirewallRules<R>): Drift<R>[] {
  const rules = new Map(found.standing.map((rule) => [rule.tracker, rule]));
  const live = new Map(blocks.filter(isLive).map((block) => [block.tracker, block]));
  const ended = new Map(blocks.filter(({ state }) => state === 'released').map((block) => [block.tracker, block]));
  const drift: Drift<R>[] = [];
  for (const block of live.values()) {
    if (block.state !== 'active') continue;
    const rule = rules.get(block.tracker);
    if (rule === undefined) drift.push({ kind: 'missing', block });
    else if (rule.changed) drift.push({ kind: 'changed', block, rule });
    else if (!rule.proven) drift.push({ kind: 'not_loaded', block });
  }
  for (const rule of rules.values()) {
    if (live.has(rule.tracker)) continue;
    const block = ended.get(rule.tracker);
    drift.push(block === undefined ? { kind: 'unknown', rule } : { kind: 'lingering', block, rule });
  }
  return [...drift, ...found.only_in_pf.map((tracker) => ({ kind: 'only_in_pf' as const, tracker }))];
}

const isLive = ({ state }: Block): boolean => state !== 'released' && state !== 'refused';
