import { expect } from 'chai';
import { makeLockout } from '#firebreak/serve/people/lockout.js';

const minutes = 60_000;
const [here, there] = ['192.0.2.7', '192.0.2.8'];

describe('the lockout of logins', () => {
  let now: number;

  beforeEach(() => {
    now = 0;
  });

  it('locks a name for an address at the fifth failure, until they are 15 minutes old', () => {
    const lockout = makeLockout(() => now);
    for (let count = 1; count < 5; count += 1) expect(lockout.fail('bob', here)).to.deep.equal([]);
    expect(lockout.isLocked('bob', here)).to.equal(false);
    expect(lockout.fail('bob', here)).to.deep.equal([{ name: 'bob', address: here }]);
    expect([
      lockout.isLocked('bob', here),
      lockout.isLocked('bob', there),
      lockout.isLocked('alice', here),
    ]).to.deep.equal([true, false, false]);
    now = 15 * minutes;
    expect(lockout.isLocked('bob', here)).to.equal(false);
  });

  it('locks an address at the 25th failure, whatever the names', () => {
    const lockout = makeLockout(() => now);
    for (let count = 1; count < 25; count += 1) expect(lockout.fail(`name-${count}`, here)).to.deep.equal([]);
    expect(lockout.fail('last', here)).to.deep.equal([{ address: here }]);
    expect([lockout.isLocked('bob', here), lockout.isLocked('bob', there)]).to.deep.equal([true, false]);
  });

  it('has the rest of a lock that began before', () => {
    const lockout = makeLockout(() => now);
    lockout.restore({ name: 'bob', address: here }, 10 * minutes);
    lockout.restore({ name: 'old', address: here }, 15 * minutes);
    lockout.restore({ address: there }, -minutes); // the clock was set back
    const locked = () => [lockout.isLocked('bob', here), lockout.isLocked('old', here), lockout.isLocked('bob', there)];
    expect(locked()).to.deep.equal([true, false, true]);
    now = 5 * minutes;
    expect(locked()).to.deep.equal([false, false, true]);
    now = 15 * minutes;
    expect(locked()).to.deep.equal([false, false, false]);
  });
});
