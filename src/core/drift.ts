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
  | { kind: 'unknown'; rule: R }
  | { kind: 'only_in_pf'; tracker: number };

export interface FirewallRules<R extends RuleOnFirewall> {
  standing: readonly R[];
  /** Trackers that pf has loaded but the configuration does not contain. */
  only_in_pf: readonly number[];
}

/** Compares the ledger's blocks of one firewall with its rules, block by block. */
export interface DriftSearch<R extends RuleOnFirewall> {
  /** Compares a block that is not over. One that a run has yet to apply is not drift, whatever the firewall has. */
  compare(block: Block): void;
  /** Trackers of rules that no block has claimed. */
  unclaimed(): number[];
  /** All differences. @param released blocks with the unclaimed trackers */
  finish(released: readonly Block[]): Drift<R>[];
}

export function searchDrift<R extends RuleOnFirewall>(found: FirewallRules<R>): DriftSearch<R> {
  const rules = new Map(found.standing.map((rule) => [rule.tracker, rule]));
  const unclaimed = new Map(rules);
  const drift: Drift<R>[] = [];
  return {
    compare: (block) => {
      const rule = rules.get(block.tracker);
      unclaimed.delete(block.tracker);
      if (block.state !== 'active') return;
      if (rule === undefined) drift.push({ kind: 'missing', block });
      else if (rule.changed) drift.push({ kind: 'changed', block, rule });
      else if (!rule.proven) drift.push({ kind: 'not_loaded', block });
    },
    unclaimed: () => [...unclaimed.keys()],
    finish: (released) => {
      const ended = new Map(released.map((block) => [block.tracker, block]));
      for (const rule of unclaimed.values()) {
        const block = ended.get(rule.tracker);
        drift.push(block === undefined ? { kind: 'unknown', rule } : { kind: 'lingering', block, rule });
      }
      return [...drift, ...found.only_in_pf.map((tracker) => ({ kind: 'only_in_pf' as const, tracker }))];
    },
  };
}
