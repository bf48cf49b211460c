import { withApp } from '../../app/context.js';
import { drain as applyDue, type Drained } from '../../app/drain.js';
import { describeFreeze } from '../../app/freeze.js';
import { exitCodeOfAll } from '../../core/outcome.js';
import { describeBlock } from '../../views/answer.js';
import { blockToJson } from '../../views/json.js';
import { defineCommand, type Output } from '../command.js';

export const drain = defineCommand({
  usage: 'drain',
  summary: 'apply all pending and due changes',
  options: (argv) => argv.option('owner', { type: 'string', hidden: true }),
  run: ({ owner }, caller) =>
    withApp(caller, async (app) =>
      toDrainOutput(await applyDue({ expire: false, owner, isAwaited: process.stderr.isTTY }, app)),
    ),
});

export const expire = defineCommand({
  usage: 'expire',
  summary: 'release expired blocks, then drain',
  options: (argv) => argv,
  run: (_, caller) =>
    withApp(caller, async (app) =>
      toDrainOutput(await applyDue({ expire: true, isAwaited: process.stderr.isTTY }, app)),
    ),
});

export function toDrainOutput(drained: Drained): Output {
  const { blocks, frozen } = drained;
  if (frozen !== undefined) {
    const text = `nothing was applied: ${describeFreeze(frozen)}; run firebreak unfreeze to resume`;
    return { exit: 7, text, json: { blocks: [], frozen } };
  }
  const lines = blocks.map((block) => `${block.firewall}: ${describeBlock(block, null)}`);
  return {
    exit: exitCodeOfAll(blocks, drained),
    text: lines.join('\n') || 'nothing was due',
    json: { blocks: blocks.map(blockToJson) },
  };
}
