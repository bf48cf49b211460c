import type { FirebreakError } from '../core/errors.js';
import { exitCodeOfAnswer, stateOf, worstOf, type Answer, type Block } from '../core/outcome.js';

/** The answer as a program reads it (contract: `block --json`). */
export function toJson(answer: Answer): object {
  const worst = worstOf(answer.blocks);
  return {
    alarm: answer.alarm,
    state: worst === undefined ? 'active' : stateOf(worst.outcome),
    exit: exitCodeOfAnswer(answer),
    ...(answer.check && { check: true }),
    blocks: answer.blocks.map(blockToJson),
    run: answer.run,
  };
}

function blockToJson(block: Block): object {
  const { flow, outcome } = block;
  return {
    id: block.id,
    firewall: block.firewall,
    state: stateOf(outcome),
    changed: 'changed' in outcome && outcome.changed,
    tracker: block.tracker,
    source: flow.source,
    destination: flow.destination,
    port: flow.port,
    protocol: flow.protocol,
    interface: flow.interface,
    type: flow.type,
    ipprotocol: flow.ipprotocol,
    description: block.description,
    alarms: 1,
    created_at: block.createdAt.toISOString(),
    expires_at: null,
    reason: 'reason' in outcome ? outcome.reason : null,
  };
}

export const errorToJson = ({ code, message, exit }: Pick<FirebreakError, 'message' | 'exit'> & { code: string }) => ({
  error: { code, message, exit },
});
