import { torture } from '../lab/torture.js';

describe('under faults at random moments', function () {
  this.timeout(300_000);

  for (const fault of ['kills', 'full log', 'broken ledger'])
    it(`nothing is lost, doubled or left behind: ${fault} (npm run torture does more)`, async () => {
      await torture({ rounds: 1, seed: 4, faults: [fault] });
    });
});
