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
  const policy = findPolicy(config, { seen: await ledger.findSeen(), firewall });
  const found: ProtectedBlock[] = [];
  // Page by page: expire does this every minute, and all blocks together may not fit the memory.
  for await (const page of ledger.readBlocks({ firewalls: [firewall], states: ['pending', 'active', 'failed'] })) {
    for (const block of page) {
      if (block.desired !== 'present' || block.override !== null || block.provenAt === null) continue;
      const refusal = findRefusal(block.flow, policy);
      if (refusal !== undefined) found.push({ kind: 'protected', block, reason: refusal.replace(/^refused: /, '') });
    }
  }
  return found;
}
