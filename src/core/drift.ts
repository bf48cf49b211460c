import type { Block, ProofLevel } from './block.js';
import { isBypassed, toProofFields, type Proof } from './proof.js';
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
}

/** A difference between ledger and firewall; `bypassed` is one between the rule and what pf does. */
export type Drift<R extends RuleOnFirewall = RuleOnFirewall> =
  | { kind: 'missing'; block: Block }
  | { kind: 'not_loaded'; block: Block }
  | { kind: 'changed'; block: Block; rule: R }
  | { kind: 'bypassed'; block: Block }
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
    else {
      const proof = proofIn(rule);
      const known = proof === undefined ? block : { ...block, ...toProofFields(proof) };
      if (isBypassed(known)) drift.push({ kind: 'bypassed', block: known });
    }
  }
  for (const rule of rules.values()) {
    if (live.has(rule.tracker)) continue;
    const block = ended.get(rule.tracker);
    drift.push(block === undefined ? { kind: 'unknown', rule } : { kind: 'lingering', block, rule });
  }
  const flows = new Map(blocks.map(({ tracker, flow }) => [tracker, flow]));
  const onlyInPf = found.only_in_pf.map((tracker) => ({
    ...{ kind: 'only_in_pf' as const, tracker },
    flow: flows.get(tracker) ?? null,
  }));
  return [...drift, ...onlyInPf];
}

/** The flow of a rule that is exactly as Firebreak writes it, so that the ledger can adopt it; else undefined. */
export function findAdoptable(rule: RuleOnFirewall): Flow | undefined {
  if (rule.changed) return undefined;
  const request = { ...rule, ipproto: rule.ipprotocol, protocol: rule.protocol || 'any' };
  const parsed = parseFlow(request, { inet: 0, inet6: 0 });
  return parsed.ok ? parsed.flow : undefined;
}

/** What the proofs of these blocks are worth now, by block id, as far as the firewall tells. */
export function findProofs(
  blocks: readonly Block[],
  { standing }: Pick<FirewallRules<RuleOnFirewall>, 'standing'>,
): Map<string, Proof> {
  const rules = new Map(standing.map((rule) => [rule.tracker, rule]));
  const proofs = new Map<string, Proof>();
  for (const { id, state, tracker } of blocks) {
    const rule = state === 'active' ? rules.get(tracker) : undefined;
    if (rule === undefined || rule.changed || !rule.proven) continue;
    const proof = proofIn(rule);
    if (proof !== undefined) proofs.set(id, proof);
  }
  return proofs;
}

const proofIn = ({ proof, proof_message: message = '' }: RuleOnFirewall): Proof | undefined =>
  proof === undefined ? undefined : { level: proof, message };

const isLive = ({ state }: Block): boolean => state !== 'released' && state !== 'refused';
