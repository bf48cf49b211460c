import { describeFlow } from '../core/describe-flow.js';
import { unreachable } from '../core/errors.js';
import type { Answer, Block } from '../core/outcome.js';

/** The answer as a person reads it: one line a firewall. */
export const toText = (answer: Answer): string => answer.blocks.map((block) => lineOf(block, answer)).join('\n');

function lineOf({ firewall, flow, tracker, outcome }: Block, { run }: Answer): string {
  const what = describeFlow(flow);
  const time = run === null ? '' : `, ${(run.ms / 1000).toFixed(1)} s`;
  switch (outcome.kind) {
    case 'active':
      return outcome.changed
        ? `${firewall}: blocked ${what}: in force and proven, tracker ${tracker}${time}`
        : `${firewall}: already blocked ${what}: in force and proven, tracker ${tracker}${time}`;
    case 'checked':
      return outcome.changed
        ? `${firewall}: would block ${what}, tracker ${tracker} (dry run: nothing was changed)`
        : `${firewall}: already blocked ${what}, tracker ${tracker} (dry run: nothing to change)`;
    case 'refused':
      return `${firewall}: NOT blocked ${what}: ${outcome.reason}`;
    case 'unreachable':
      return `${firewall}: NOT blocked ${what}: the firewall is away: ${outcome.reason}`;
    case 'failed':
      return `${firewall}: NOT blocked ${what}: ${outcome.reason}`;
    case 'stopped':
      return `${firewall}: NOT known to be blocked ${what}: ${outcome.reason}`;
    default:
      return unreachable(outcome);
  }
}
