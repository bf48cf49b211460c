// Mocha's spec reporter that also writes its counts and the titles of failed tests to the file named by
// FIREBREAK_TEST_COUNTS, because the text on the screen is for people and may change.
import { writeFileSync } from 'node:fs';
import { env } from 'node:process';
import Mocha from 'mocha';

export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failures = [];
    runner.on('fail', (test, error) =>
      failures.push(
        `${test.fullTitle()}: ${String(error.message)
          .replace(/\s*\n\s*/g, ' | ')
          .slice(0, 1000)}`,
      ),
    );
    runner.once('end', () => {
      const { passes, failures: failed, pending } = this.stats;
      writeFileSync(env.FIREBREAK_TEST_COUNTS, JSON.stringify({ passed: passes, failed, pending, failures }));
    });
  }
}
