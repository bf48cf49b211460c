import { unreachable } from './errors.js';
import type { Flow } from './flow.js';

/** How one flow ended on one firewall. Each kind holds just the facts it can have. */
export type Outcome =
  | { kind: 'active'; changed: boolean }
  | { kind: 'checked'; changed: boolean }
  | { kind: 'refused'; reason: string }
  | { kind: 'unreachable'; reason: string }
  | { kind: 'failed'; reason: string; code: string }
  | { kind: 'stopped'; reason: string };

export type BlockState = 'pending' | 'active' | 'refused';

/** One flow on one firewall, and what became of it. */
export interface Block {
  id: string;
  firewall: string;
  flow: Flow;
  tracker: number;
  description: string;
  createdAt: Date;
  outcome: Outcome;
}

/** What a run cost: `ms` of wall time, `batch` flows carried. */
export interface RunSummary {
  id: string;
  ms: number;
  batch: number;
}

/** The whole answer to one alarm. */
export interface Answer {
  alarm: string;
  check: boolean;
  blocks: Block[];
  run: RunSummary | null;
}

/** The exit codes of the contract (DESIGN, "exit"). */
export function exitCodeOf(outcome: Outcome): number {
  switch (outcome.kind) {
    case 'active':
    case 'checked':
      return 0;
    case 'refused':
      return 3;
    case 'unreachable':
      return 4;
    case 'failed':
      return 5;
    case 'stopped':
      return 6;
    default:
      return unreachable(outcome);
  }
}

export function stateOf(outcome: Outcome): BlockState {
  switch (outcome.kind) {
    case 'active':
      return 'active';
    case 'refused':
      return 'refused';
    case 'checked':
    case 'unreachable':
    case 'failed':
    case 'stopped':
      return 'pending';
    default:
      return unreachable(outcome);
  }
}

/** Several firewalls answer as their worst: nobody may read "0" while one of them lets the attacker in. */
const badness = [0, 3, 4, 6, 5];

export function worstOf(blocks: readonly Block[]): Block | undefined {
  const rank = (block: Block): number => badness.indexOf(exitCodeOf(block.outcome));
  return blocks.reduce<Block | undefined>(
    (worst, block) => (worst === undefined || rank(block) > rank(worst) ? block : worst),
    undefined,
  );
}

export function exitCodeOfAnswer(answer: Answer): number {
  const worst = worstOf(answer.blocks);
  return worst === undefined ? 0 : exitCodeOf(worst.outcome);
}
