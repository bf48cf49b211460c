import { findPolicy } from '../config/policy-in-force.js';
import type { Drift } from '../core/drift.js';
import { findRefusal } from '../core/policy.js';
import type { App } from '../runtime/app.js';

/** A block in force whose address has become protected. */
export type ProtectedBlock = Extract<Drift, { kind: 'protected' }>;

/** The blocks in force on a firewall that the policy would refuse today, without those that an operator overrode. */
export async function findProtected(
  firewall: string,
  { config, ledger }: Pick<App, 'config' | 'ledger'>,
): Promise<ProtectedBlock[]> {
  const blocks = await ledger.findBlocks({ firewalls: [firewall], states: ['pending', 'active', 'failed'] });
  const inForce = blocks.filter(
    ({ desired, override, provenAt }) => desired === 'present' && override === null && provenAt !== null,
  );
  if (inForce.length === 0) return [];
  const policy = findPolicy(config, { seen: await ledger.findSeen(), firewall });
  return inForce.flatMap((block) => {
    const refusal = findRefusal(block.flow, policy);
    return refusal === undefined
      ? []
      : [{ kind: 'protected' as const, block, reason: refusal.replace(/^refused: /, '') }];
  });
}
