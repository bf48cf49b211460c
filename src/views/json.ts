import type { Block } from '../core/block.js';
import type { FirebreakError } from '../core/errors.js';
import { exitCodeOf, worstOf, type Answer } from '../core/outcome.js';
import { proofOf } from '../core/proof.js';
import { warningOf } from './warning.js';

/** The answer as JSON (contract: `block --json`). */
export const answerToJson = (answer: Answer) => {
  const { alarm, check, blocks, run, repeated = [], extended = [] } = answer;
  return {
    ...(alarm !== undefined && { alarm }),
    state: worstOf(blocks, answer)?.state ?? null,
    exit: exitCodeOf(answer),
    ...(check && { check: true }),
    blocks: blocks.map((block) => ({
      ...blockToJson(block),
      ...(repeated.includes(block.id) && { repeated: true }),
      ...(extended.includes(block.id) && { extended: true }),
    })),
    run,
  };
};

export const blockToJson = (block: Block): object => ({
  id: block.id,
  firewall: block.firewall,
  state: block.state,
  changed: block.changed,
  tracker: block.tracker,
  source: block.flow.source,
  destination: block.flow.destination,
  port: block.flow.port,
  protocol: block.flow.protocol,
  interface: block.flow.interface,
  type: block.flow.type,
  ipprotocol: block.flow.ipprotocol,
  description: block.description,
  alarms: block.alarms,
  created_at: toTime(block.createdAt),
  expires_at: toTime(block.expiresAt),
  reason: block.reason,
  tags: block.tags,
  proof: proofOf(block),
  packets: block.packets,
  packets_at: toTime(block.packetsAt),
  warning: warningOf(block),
});

export const toTime = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

export const errorToJson = ({ code, message, exit }: Pick<FirebreakError, 'message' | 'exit'> & { code: string }) => ({
  error: { code, message, exit },
});
