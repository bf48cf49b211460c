import type { Block, ProofLevel } from './block.js';
import { atInside, isBypassed, toProofFields, type Inside, type Proof } from './proof.js';
import { parseFlow, type Flow } from './flow.js';

/** A rule of ours as it is on a firewall. */
export interface RuleOnFirewall {
  tracker: number;
  type: string;
  interface: string;
  ipprotocol: string;
  protocol: string;
  source: string;
  destination: string;
  port: string;
  /** It was changed by hand, or was never ours. */
  changed: boolean;
  why: string | null;
  /** pf has loaded it. */
  proven: boolean;
  /** What its proof is worth, and why; undefined if the firewall's playbook does not tell. */
  proof?: ProofLevel | undefined;
  proof_message?: string | undefined;
  followed?: Inside | undefined;
  /** How many packets it has stopped since pf loaded it; undefined if the firewall's playbook does not tell. */
  packets?: number | undefined;
  /** Another rule passes its packets, and a run would move it ahead of that rule. */
  misplaced?: boolean | undefined;
}

/** A difference between ledger and firewall; `bypassed` is one between the rule and what pf does. */
export type Drift<R extends RuleOnFirewall = RuleOnFirewall> =
  | { kind: 'missing'; block: Block }
  | { kind: 'not_loaded'; block: Block }
  | { kind: 'changed'; block: Block; rule: R }
  | { kind: 'bypassed'; block: Block; rule: R }
  | { kind: 'lingering'; block: Block; rule: R }
  /** Its address has become protected; the reason is a sentence. */
  | { kind: 'protected'; block: Block; reason: string }
  | { kind: 'unknown'; rule: R }
  | { kind: 'only_in_pf'; tracker: number; flow: Flow | null };

export interface FirewallRules<R extends RuleOnFirewall> {
  standing: readonly R[];
  /** Trackers that pf has loaded but the configuration does not contain. */
  only_in_pf: readonly number[];
}

/** Whether a run can end the difference. What bypasses a rule that could not be elsewhere is on the firewall. */
export const isRepairable = (drift: Drift): boolean => drift.kind !== 'bypassed' || drift.rule.misplaced === true;

/** The flow of a rule that is exactly as Firebreak writes it, so that the ledger can adopt it; else undefined. */
export function findAdoptable(rule: RuleOnFirewall): Flow | undefined {
  if (rule.changed) return undefined;
  const request = { ...rule, ipproto: rule.ipprotocol, protocol: rule.protocol || 'any' };
  const parsed = parseFlow(request, { inet: 0, inet6: 0 });
  return parsed.ok ? parsed.flow : undefined;
}

const proofIn = ({ proof, proof_message: message = '', followed }: RuleOnFirewall): Proof | undefined =>
  proof === undefined ? undefined : atInside({ level: proof, message }, followed);

/** Compares the ledger's blocks of one firewall with its rules, block by block. */
export interface DriftSearch<R extends RuleOnFirewall> {
  /** Compares a block that is not over. One that a run has yet to apply is not drift, whatever the firewall has. */
  compare(block: Block): void;
  /** What the proofs of the compared blocks are worth now, by block id, as far as the firewall tells. */
  proofs: ReadonlyMap<string, Proof>;
  /** The counters of packets of those blocks that have stopped any, by block id. */
  packets: ReadonlyMap<string, number>;
  /** Trackers of rules, in the configuration or only in pf, that no block has claimed. */
  unclaimed(): number[];
  /** All differences. @param released blocks with the unclaimed trackers */
  finish(released: readonly Block[]): Drift<R>[];
}

export function searchDrift<R extends RuleOnFirewall>(found: FirewallRules<R>): DriftSearch<R> {
  const rules = new Map(found.standing.map((rule) => [rule.tracker, rule]));
  const unclaimed = new Map(rules);
  const onlyInPf = new Map<number, Flow | null>(found.only_in_pf.map((tracker) => [tracker, null]));
  const proofs = new Map<string, Proof>();
  const packets = new Map<string, number>();
  const drift: Drift<R>[] = [];
  const learnFlow = ({ tracker, flow }: Block): void => {
    if (onlyInPf.has(tracker)) onlyInPf.set(tracker, flow);
  };
  return {
    proofs,
    packets,
    compare: (block) => {
      const rule = rules.get(block.tracker);
      unclaimed.delete(block.tracker);
      learnFlow(block);
      if (block.state !== 'active') return;
      if (rule === undefined) drift.push({ kind: 'missing', block });
      else if (rule.changed) drift.push({ kind: 'changed', block, rule });
      else if (!rule.proven) drift.push({ kind: 'not_loaded', block });
      else {
        const counted = rule.packets ?? 0;
        if (counted > 0 || block.packets > 0) packets.set(block.id, counted);
        const proof = proofIn(rule);
        if (proof !== undefined) proofs.set(block.id, proof);
        const known = proof === undefined ? block : { ...block, ...toProofFields(proof) };
        if (isBypassed(known)) drift.push({ kind: 'bypassed', block: known, rule });
      }
    },
    unclaimed: () => [...unclaimed.keys(), ...onlyInPf.keys()],
    finish: (released) => {
      released.forEach(learnFlow);
      const ended = new Map(released.map((block) => [block.tracker, block]));
      for (const rule of unclaimed.values()) {
        const block = ended.get(rule.tracker);
        drift.push(block === undefined ? { kind: 'unknown', rule } : { kind: 'lingering', block, rule });
      }
      const lost = [...onlyInPf].map(([tracker, flow]) => ({ kind: 'only_in_pf' as const, tracker, flow }));
      return [...drift, ...lost];
    },
  };
}
