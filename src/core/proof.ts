import type { Block, ProofLevel } from './block.js';

/** What a run or a query found the proof of a block to be worth. */
export interface Proof {
  level: ProofLevel;
  /** Why it is not more. */
  message: string;
}

/** The end of a flow behind a port forward, where its rule blocks the packets. */
export interface Inside {
  destination: string;
  port: string;
}

/** What decides needs no reason; the proof of a flow that is forwarded says where its packets are stopped. */
export function atInside(proof: Proof, inside: Inside | undefined): Proof {
  if (proof.level !== 'decides') return proof;
  if (inside === undefined) return { ...proof, message: '' };
  const { destination, port } = inside;
  return {
    ...proof,
    message: `at ${destination}${port === '' ? '' : ` port ${port}`}, where the firewall forwards it`,
  };
}

export const noProof = { proof: null, proofMessage: null } as const;

export const toProofFields = (proof: Proof | undefined): Pick<Block, 'proof' | 'proofMessage'> =>
  proof === undefined ? noProof : { proof: proof.level, proofMessage: proof.message };

/** The least that an operator requires of a proof. */
export const requiredProofs = ['listed', 'decides'] as const;
export type RequiredProof = (typeof requiredProofs)[number];

/** The levels of a rule that stands but does not stop its packets. */
export const bypassLevels = ['shadowed', 'unreachable_path'] as const satisfies readonly ProofLevel[];

export const isBypassLevel = (level: string | null): boolean => bypassLevels.some((each) => each === level);

/** Whether the rule stands but does not stop its packets. */
export const isBypassed = ({ state, proof }: Pick<Block, 'state' | 'proof'>): boolean =>
  state === 'active' && isBypassLevel(proof);

/** Whether the proof is worth what is required; a ledger of an earlier release did not record what it is worth. */
export const isProofEnough = ({ proof }: Pick<Block, 'proof'>, required: RequiredProof = 'listed'): boolean =>
  proof === null || proof === 'decides' || proof === required;

/** The role's code for a packet filter that is switched off. */
const disabledCode = 'pf_disabled';

/** The level as programs read it (contract: `proof`). */
export function proofOf({ state, proof, failureCode }: Block): ProofLevel | 'disabled' | null {
  if (state === 'active') return proof;
  const isFailing = state === 'pending' || state === 'failed';
  return isFailing && failureCode === disabledCode ? 'disabled' : null;
}
