import type { BatchResult } from '../platforms/ansible/events.js';
import type { RunResult } from '../platforms/ansible/run-result.js';
import type { Block } from '../core/block.js';
import { unreachable } from '../core/errors.js';
import type { BlockResult } from '../core/lifecycle.js';
import { atInside, type Proof } from '../core/proof.js';

/** What a run's result means for one block that it applied. */
export function resultFor(
  { tracker, desired }: Pick<Block, 'tracker' | 'desired'>,
  verdict: RunResult<BatchResult> | Exclude<RunResult<unknown>, { kind: 'done' }>,
  check: boolean,
): BlockResult {
  switch (verdict.kind) {
    case 'done':
      return resultWhenDone({ tracker, desired }, verdict, check);
    case 'unreachable':
      return { kind: 'failed', failure: 'unreachable', code: 'unreachable', reason: verdict.message };
    case 'failed':
      return failed(verdict.code, verdict.message);
    case 'not_started':
      return failed('not_started', verdict.message);
    case 'timeout':
      return stopped('timeout', `the run took longer than ansible.timeout (${verdict.ms / 1000} s) and was ended`);
    case 'interrupted':
      return stopped('interrupted', `the run was stopped by ${verdict.signal}`);
    default:
      return unreachable(verdict);
  }
}

const failed = (code: string, reason: string): BlockResult => ({ kind: 'failed', failure: 'failed', code, reason });
const stopped = (code: string, reason: string): BlockResult => ({ kind: 'failed', failure: 'stopped', code, reason });

type Done = Extract<RunResult<BatchResult>, { kind: 'done' }>;

function resultWhenDone(
  { tracker, desired }: Pick<Block, 'tracker' | 'desired'>,
  { result }: Done,
  check: boolean,
): BlockResult {
  const refused = result.refused?.find((each) => each.tracker === tracker);
  if (refused !== undefined) return failed(refused.code, refused.message);
  if (result.changed_by_hand?.includes(tracker) === true) {
    const fix = desired === 'present' ? 'rewrites it' : 'removes it';
    return failed('changed_by_hand', `its rule was changed by hand on the firewall: firebreak reconcile --fix ${fix}`);
  }
  const [changed, same] = desired === 'present' ? [result.added, result.present] : [result.removed, result.absent];
  const isChanged = changed.includes(tracker);
  if (!isChanged && !same.includes(tracker))
    return failed('not_told', 'the playbook succeeded but does not report this rule');
  if (!check && !result.proven)
    return failed('load_unproven', 'the playbook succeeded but pf does not confirm the rule');
  const proof = desired === 'present' ? (findProof(result, tracker) ?? (check ? undefined : notTold)) : undefined;
  return { kind: 'settled', changed: isChanged, proof };
}

function findProof({ proof = [], followed = [] }: BatchResult, tracker: number): Proof | undefined {
  const told = proof.find((each) => each.tracker === tracker);
  const inside = followed.find((each) => each.tracker === tracker);
  return told && atInside({ level: told.level, message: told.message }, inside);
}

/** A platform's role may not tell what its packet filter decides. */
const notTold: Proof = { level: 'listed', message: 'this playbook does not tell who decides' };
