import { withHost } from '../../app/context.js';
import { selftest as testAll, type SelftestResult, type SelftestStep } from '../../app/selftest.js';
import { describeBlock } from '../../views/answer.js';
import { blockToJson } from '../../views/json.js';
import { defineCommand, firewall } from '../command.js';

export const selftest = defineCommand({
  usage: 'selftest',
  summary: 'block a documentation address on each firewall for real, prove it, release it, and time each step',
  options: (argv) =>
    argv.options({
      for: {
        type: 'string',
        requiresArg: true,
        default: '1m',
        describe: 'when the block expires if it cannot be released',
      },
      firewall,
    }),
  run: ({ for: duration, firewall: firewalls }, caller) =>
    withHost(caller, async (host) => {
      const results = await testAll({ firewalls, duration }, host);
      return {
        exit: results.map(({ block, release }) => block.exit || (release?.exit ?? 0)).find((exit) => exit > 0) ?? 0,
        text: results.flatMap(toLines).join('\n'),
        json: { firewalls: results.map(toJson) },
      };
    }),
});

function toLines({ firewall: name, block, release }: SelftestResult): string[] {
  return [toLine(name, 'block', block), ...(release === undefined ? [] : [toLine(name, 'release', release)])];
}

const toLine = (name: string, step: string, { ms, block, run }: SelftestStep): string =>
  `${name}: ${step.padEnd(7)} ${(ms / 1000).toFixed(1)} s  ${block === undefined ? 'nothing was recorded' : describeBlock(block, run)}`;

const toJson = ({ firewall: name, block, release }: SelftestResult): object => ({
  firewall: name,
  block: stepToJson(block),
  release: release === undefined ? null : stepToJson(release),
});

const stepToJson = ({ ms, exit, block }: SelftestStep): object => ({
  ms,
  exit,
  block: block === undefined ? null : blockToJson(block),
});
