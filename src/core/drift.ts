import type { Block } from './block.js';

/** A rule of ours as a firewall has it. */
export interface RuleOnFirewall {
  tracker: number;
  /** Its words are somebody else's by now, or were never ours. */
  changed: boolean;
  why: string | null;
  /** pf runs it. */
  proven: boolean;
}

/** Where ledger and firewall do not agree. */
export type Drift<R extends RuleOnFirewall = RuleOnFirewall> =
  | { kind: 'missing'; block: Block }
  | { kind: 'not_loaded'; block: Block }
  | { kind: 'changed'; block: Block; rule: R }
  | { kind: 'lingering'; block: Block; rule: R }
  | { kind: 'unknown'; rule: R }
  | { kind: 'only_in_pf'; tracker: number };

export interface FirewallRules<R extends RuleOnFirewall> {
  standing: readonly R[];
  /** Trackers that pf runs and the configuration does not have. */
  only_in_pf: readonly number[];
}

/**
 * Compares what the ledger says is in force on one firewall with what is there.
 * Blocks that a run has still to bring about are no drift, whatever the firewall has of them.
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
