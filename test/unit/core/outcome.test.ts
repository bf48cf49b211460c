import { expect } from 'chai';
import { refuse, type Block } from '#firebreak/core/block.js';
import { repeatAlarm, approve, claim, release, retry, settle, type BlockResult } from '#firebreak/core/lifecycle.js';
import { findOutcome } from '#firebreak/core/outcome.js';
import { aBlock } from '../../fixtures.js';

const fresh = aBlock();
const settled: BlockResult = { kind: 'settled', changed: true };
const fail = (code: string): BlockResult => ({ kind: 'failed', failure: 'failed', code, reason: code });

function run(block: Block, finding: BlockResult, now: number, giveUpMs = 1000): Block {
  const taken = claim(block, 'R');
  return settle(taken, finding, { now, claimedRevision: taken.revision, desired: taken.desired, giveUpMs });
}

describe('findOutcome', () => {
  const active = run(fresh, settled, 10);
  const failing = run(fresh, fail('load_refused'), 10);

  it('counts a block as proven when it comes into force, not when it is proven again', () => {
    expect(findOutcome(fresh, active)).to.equal('proven');
    expect(
      findOutcome(active, run(repeatAlarm(active, { now: 20, expiresAt: null, recheckMs: 1 }), settled, 30)),
    ).to.equal(undefined);
    expect(findOutcome(failing, run(failing, settled, 20))).to.equal('proven');
  });

  it('counts a failure when it begins, when its cause changes and when it is given up, not each try', () => {
    expect(findOutcome(fresh, failing)).to.equal('failed');
    expect(findOutcome(failing, run(failing, fail('load_refused'), 20))).to.equal(undefined);
    expect(findOutcome(failing, run(failing, fail('lock_taken'), 20))).to.equal('failed');
    expect(findOutcome(failing, run(failing, fail('load_refused'), 2000))).to.equal('failed');
  });

  it('does not count as a failure what is only frozen', () => {
    const frozen = run(fresh, { kind: 'failed', failure: 'frozen', code: 'frozen', reason: 'frozen' }, 10);
    expect(findOutcome(fresh, frozen)).to.equal(undefined);
  });

  it('counts what was held, refused each time an alarm asked for it, and released', () => {
    const held: Block = { ...fresh, state: 'held', dueAt: null };
    const refused = refuse(fresh, 'no');
    expect(findOutcome(undefined, held)).to.equal('held');
    expect(findOutcome(undefined, fresh)).to.equal(undefined);
    expect(findOutcome(held, release(held, 10, 'rejected'))).to.equal('refused');
    expect(findOutcome(refused, { ...refused, alarms: 2 })).to.equal('refused');
    expect(findOutcome(refused, refused)).to.equal(undefined);
    expect(findOutcome(active, release(active, 20, 'over'))).to.equal(undefined);
    expect(findOutcome(release(active, 20, 'over'), run(release(active, 20, 'over'), settled, 30))).to.equal(
      'released',
    );
  });
});

describe('since when a block is wanted as it is', () => {
  it('is since the first alarm that still waits, or since it was approved, given up and retried, or released', () => {
    const again = { now: 50, expiresAt: null, recheckMs: 1 };
    const active = run(fresh, settled, 10);
    const failing = run(fresh, fail('x'), 10);
    const held: Block = { ...fresh, state: 'held', dueAt: null };
    const releasing = release(failing, 30, 'over');
    const givenUp = run(failing, fail('x'), 5000);
    expect({
      failing: repeatAlarm(failing, again).requestedAt,
      active: repeatAlarm(active, again).requestedAt,
      approved: approve(held, 40).requestedAt,
      releasing: releasing.requestedAt,
      wantedAgain: repeatAlarm(releasing, again).requestedAt,
      retried: retry(givenUp, 6000).requestedAt,
    }).to.deep.equal({ failing: 0, active: 50, approved: 40, releasing: 30, wantedAgain: 50, retried: 6000 });
  });
});
