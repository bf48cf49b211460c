import type { Verdict } from '../ansible/verdict.js';
import { unreachable } from '../core/errors.js';
import type { Outcome } from '../core/outcome.js';

/** What a run's verdict means for one flow that it carried. */
export function outcomeFor(tracker: number, verdict: Verdict, check: boolean): Outcome {
  switch (verdict.kind) {
    case 'done':
      return outcomeWhenDone(tracker, verdict, check);
    case 'unreachable':
      return { kind: 'unreachable', reason: verdict.message };
    case 'failed':
      return { kind: 'failed', code: verdict.code, reason: verdict.message };
    case 'not_started':
      return { kind: 'failed', code: 'not_started', reason: verdict.message };
    case 'timeout':
      return {
        kind: 'stopped',
        reason: `the run took longer than ansible.timeout (${verdict.ms / 1000} s) and was ended`,
      };
    case 'interrupted':
      return { kind: 'stopped', reason: `the run was ended by ${verdict.signal}` };
    default:
      return unreachable(verdict);
  }
}

function outcomeWhenDone(tracker: number, { result }: Extract<Verdict, { kind: 'done' }>, check: boolean): Outcome {
  const added = result.added.includes(tracker);
  if (!added && !result.present.includes(tracker)) {
    return { kind: 'failed', code: 'not_told', reason: 'the playbook ended well but does not name this rule' };
  }
  if (check) return { kind: 'checked', changed: added };
  if (!result.proven) {
    return { kind: 'failed', code: 'load_unproven', reason: 'the playbook ended well but pf does not show the rule' };
  }
  return { kind: 'active', changed: added };
}
