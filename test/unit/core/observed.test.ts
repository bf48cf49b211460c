import { expect } from 'chai';
import { claim, isExpired, release, repeatAlarm, settle } from '#firebreak/core/lifecycle.js';
import { exitCodeOfBlock, findOutcome } from '#firebreak/core/outcome.js';
import { aBlock, anActiveBlock } from '../../fixtures.js';

const settlement = { now: 10, claimedRevision: 1, desired: 'present', giveUpMs: 1000 } as const;
const claimed = claim(aBlock({ expiresAt: 500 }), 'R');
const observed = settle(claimed, { kind: 'observed' }, settlement);

describe('an observed block', () => {
  it('is not in force, needs nothing of the firewall, and is an outcome of its own', () => {
    expect(observed).to.include({ state: 'observed', provenAt: null, dueAt: null, changed: false });
    expect(findOutcome(claimed, observed)).to.equal('observed');
    expect(exitCodeOfBlock(observed)).to.equal(0);
  });

  it('that would have failed says why, is not due again, and is the same outcome', () => {
    const failed = settle(claimed, { kind: 'observed', reason: 'would have failed: a test' }, settlement);
    expect(failed).to.include({ state: 'observed', reason: 'would have failed: a test', dueAt: null, failure: null });
    expect(findOutcome(claimed, failed)).to.equal('observed');
  });

  it('counts alarms while the mode lasts, and is blocked by the next alarm after it', () => {
    const alarm = { now: 20, expiresAt: 900, recheckMs: 0 };
    const again = repeatAlarm(observed, { ...alarm, isObserved: true });
    expect(again).to.include({ state: 'observed', alarms: 2, expiresAt: 900, dueAt: null });
    expect(repeatAlarm(observed, alarm)).to.include({ state: 'pending', dueAt: 20 });
  });

  it('ends without a run, and is not counted as released', () => {
    expect(isExpired(observed, 600)).to.equal(true);
    const ended = release(observed, 600, 'expired');
    expect(ended).to.include({ state: 'released', dueAt: null });
    expect(findOutcome(observed, ended)).to.equal(undefined);
  });

  it('that was requested to be released during the dry run is released', () => {
    const releasing = release(claimed, 5, 'a test');
    expect(settle(releasing, { kind: 'observed' }, settlement)).to.include({ state: 'releasing', dueAt: 5 });
  });
});

describe('a block in force, in observe mode', () => {
  it('counts the alarm, and is neither extended nor run', () => {
    const block = anActiveBlock({ expiresAt: 500 });
    const again = repeatAlarm(block, { now: 20, expiresAt: 900, recheckMs: 0, isObserved: true });
    expect(again).to.include({ state: 'active', alarms: 2, expiresAt: 500, dueAt: null });
  });

  it('that is being released stays on its way', () => {
    const releasing = release(anActiveBlock(), 5, 'a test');
    const again = repeatAlarm(releasing, { now: 20, expiresAt: 900, recheckMs: 0, isObserved: true });
    expect(again).to.include({ state: 'releasing', desired: 'absent' });
  });
});
