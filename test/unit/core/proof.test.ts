import { expect } from 'chai';
import type { Block } from '#firebreak/core/block.js';
import { isRepairable, searchDrift, type RuleOnFirewall } from '#firebreak/core/drift.js';
import { claim, release, repeatAlarm, settle, type BlockResult } from '#firebreak/core/lifecycle.js';
import { exitCodeOfAll, exitCodeOfBlock, findOutcome, worstOf } from '#firebreak/core/outcome.js';
import { proofOf, type Proof } from '#firebreak/core/proof.js';
import { aBlock, aFlow, anActiveBlock } from '../../fixtures.js';

const proofs = {
  decides: { level: 'decides', message: 'pf drops it by this rule' },
  listed: { level: 'listed', message: 'this playbook does not tell who decides' },
  shadowed: { level: 'shadowed', message: "floating rule 'Allow monitoring' (tracker 7) passes it first" },
  unreachable_path: { level: 'unreachable_path', message: 'both are in 192.168.50.0/24' },
} as const satisfies Record<string, Proof>;

const settled = (proof?: Proof): BlockResult => ({ kind: 'settled', changed: true, proof });
const away: BlockResult = { kind: 'failed', failure: 'unreachable', code: 'unreachable', reason: 'no answer' };
const disabled: BlockResult = { kind: 'failed', failure: 'failed', code: 'pf_disabled', reason: 'pf is disabled' };

function run(block: Block, result: BlockResult, now = 10): Block {
  const claimed = claim(block, 'R');
  const { revision, desired } = claimed;
  return settle(claimed, result, { now, claimedRevision: revision, desired, giveUpMs: 1000 });
}

const shadowed = run(aBlock(), settled(proofs.shadowed));

describe('the level of a proof', () => {
  it('is what the last run found, and no failure: the block is active and nothing is due', () => {
    expect(shadowed).to.include({ state: 'active', proof: 'shadowed', proofMessage: proofs.shadowed.message });
    expect(shadowed).to.include({ failure: null, failures: 0, dueAt: null, provenAt: 10 });
    const again = repeatAlarm(shadowed, { now: 20, expiresAt: null, recheckMs: 1000 });
    expect(again, 'an alarm within the recheck time').to.include({ proof: 'shadowed', dueAt: null });
    expect(run(shadowed, settled(proofs.decides))).to.include({ proof: 'decides' });
  });

  it('is gone when the rule is to be gone', () => {
    const releasing = release(shadowed, 20, 'over');
    expect(releasing).to.include({ state: 'releasing', proof: null, proofMessage: null });
    expect(run(releasing, { kind: 'settled', changed: true })).to.include({ state: 'released', proof: null });
    expect(run(shadowed, { kind: 'refused', reason: 'ours' })).to.include({ state: 'refused', proof: null });
  });

  it('is remembered, but not told, while a run fails to prove the block again', () => {
    const failing = run(shadowed, away);
    expect(failing).to.include({ state: 'pending', proof: 'shadowed' });
    expect(proofOf(failing)).to.equal(null);
  });

  it('is "disabled" while pf is, until a run proves the block', () => {
    const failing = run(aBlock(), disabled);
    expect(proofOf(failing)).to.equal('disabled');
    expect(exitCodeOfBlock(failing)).to.equal(5);
    expect(proofOf({ ...failing, state: 'failed' })).to.equal('disabled');
    expect(proofOf(release(failing, 20, 'over'))).to.equal(null);
    expect(proofOf(run(failing, settled(proofs.decides)))).to.equal('decides');
  });
});

describe('the exit code of a block in force', () => {
  const exitOf = (level: keyof typeof proofs | null, requiredProof?: 'decides' | 'listed'): number =>
    exitCodeOfBlock(anActiveBlock({ proof: level }), { requiredProof });

  it('is 9 where its packets are not stopped, and 0 where they are, or where a ledger of before does not know', () => {
    const levels = ['decides', 'listed', 'shadowed', 'unreachable_path', null] as const;
    expect(levels.map((level) => exitOf(level))).to.deep.equal([0, 0, 9, 9, 0]);
    expect(levels.map((level) => exitOf(level, 'listed'))).to.deep.equal([0, 0, 9, 9, 0]);
    expect(levels.map((level) => exitOf(level, 'decides'))).to.deep.equal([0, 9, 9, 9, 0]);
  });

  it('does not hide behind a success, nor does it hide a block that a run failed to bring into force', () => {
    const failing = run(aBlock(), disabled);
    expect(exitCodeOfAll([anActiveBlock(), shadowed])).to.equal(9);
    expect(exitCodeOfAll([failing, shadowed])).to.equal(5);
    expect(worstOf([anActiveBlock({ proof: 'decides' }), shadowed])).to.equal(shadowed);
    expect(exitCodeOfAll([anActiveBlock({ proof: 'listed' })], { requiredProof: 'decides' })).to.equal(9);
  });
});

describe('the outcome of a block whose packets are not stopped', () => {
  it('is bypassed, once, and proven when they are', () => {
    expect(findOutcome(aBlock(), shadowed)).to.equal('bypassed');
    expect(findOutcome(shadowed, run(shadowed, settled(proofs.unreachable_path)))).to.equal(undefined);
    expect(findOutcome(shadowed, run(shadowed, settled(proofs.decides)))).to.equal('proven');
    const proven = run(aBlock(), settled(proofs.listed));
    expect(findOutcome(aBlock(), proven)).to.equal('proven');
    expect(findOutcome(proven, run(proven, settled(proofs.decides)))).to.equal(undefined);
    expect(findOutcome(proven, run(proven, settled(proofs.shadowed)))).to.equal('bypassed');
  });
});

describe('what a query of the firewall tells of a proof', () => {
  const rule: RuleOnFirewall = { ...aFlow(), tracker: 2_000_000_001, changed: false, why: null, proven: true };
  const active = anActiveBlock({ proof: 'decides' });
  const tell = (fields: Partial<RuleOnFirewall>, block = active) => {
    const found = { standing: [{ ...rule, ...fields }], only_in_pf: [] };
    const search = searchDrift(found);
    search.compare(block);
    return { proofs: [...search.proofs], drift: search.finish([]) };
  };
  const passed = { proof: 'shadowed', proof_message: proofs.shadowed.message } as const;

  it('is the new level, and a difference where the packets are not stopped', () => {
    const { proofs: found, drift } = tell(passed);
    expect(found).to.deep.equal([['01BLOCK', proofs.shadowed]]);
    expect(drift.map(({ kind }) => kind)).to.deep.equal(['bypassed']);
    expect(drift[0]).to.have.nested.property('block.proof', 'shadowed');
    expect(tell({ proof: 'decides', proof_message: '' }, shadowed).drift).to.deep.equal([]);
    expect(tell({ proof: 'listed', proof_message: '' }).drift).to.deep.equal([]);
  });

  it('is a difference that --fix repairs where the role would move the rule, and only there', () => {
    const isFixed = (fields: Partial<RuleOnFirewall>): boolean[] =>
      tell({ ...passed, ...fields }).drift.map(isRepairable);
    expect(isFixed({ misplaced: true })).to.deep.equal([true]);
    expect(isFixed({})).to.deep.equal([false]);
    expect(isFixed({ proven: false })).to.deep.equal([true]);
  });

  it('is nothing where the playbook does not tell: a known level stays, and a known bypass is told', () => {
    expect(tell({})).to.deep.equal({ proofs: [], drift: [] });
    expect(tell({}, shadowed).drift.map(({ kind }) => kind)).to.deep.equal(['bypassed']);
  });

  it('is nothing where the rule is not in pf, or not as it was written: that is the difference', () => {
    for (const fields of [{ proven: false }, { changed: true }]) {
      const { proofs: found, drift } = tell({ ...passed, ...fields });
      expect(found).to.deep.equal([]);
      expect(drift.map(({ kind }) => kind)).to.not.include('bypassed');
    }
    expect(tell(passed, { ...active, state: 'pending' })).to.deep.equal({ proofs: [], drift: [] });
  });
});
