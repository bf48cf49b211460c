import { torture } from '../lab/torture.js';

describe('under kills at random moments', function () {
  this.timeout(300_000);

  it('nothing is lost, doubled or left behind (npm run torture does more)', async () => {
    await torture({ rounds: 2, seed: 4 });
  });
});
