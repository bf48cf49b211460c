import type { Argv } from 'yargs';
import { withApp } from '../../app/context.js';
import { decidable, decide, type Decision } from '../../app/decide.js';
import { FirebreakError } from '../../core/errors.js';
import { exitCodeOf } from '../../core/outcome.js';
import { describeBlock } from '../../views/answer.js';
import { blockToJson } from '../../views/json.js';
import { defineCommand, id } from '../command.js';

const options = (argv: Argv) =>
  argv
    .positional('id', { type: 'string', describe: id })
    .option('all', { type: 'boolean', default: false, describe: 'all of them' });

const define = (decision: Decision, summary: string) =>
  defineCommand({
    usage: `${decision} [id]`,
    summary,
    options,
    run: ({ id: chosen, all }, caller) => {
      if ((chosen === undefined) === !all)
        throw new FirebreakError('usage', `give one ID or --all: firebreak ${decision} ID|--all`);
      return withApp(caller, async (app) => {
        const answer = await decide(decision, chosen, app);
        const { blocks, run } = answer;
        const lines = blocks.map((block) => `${block.firewall}: ${describeBlock(block, run)}`);
        return {
          exit: decision === 'reject' ? 0 : exitCodeOf(answer),
          text: lines.join('\n') || `no block is ${decidable[decision]}`,
          json: { blocks: blocks.map(blockToJson), run },
        };
      });
    },
  });

export const approve = define('approve', 'release held blocks to the firewalls');
export const reject = define('reject', 'refuse held blocks');
export const retry = define('retry', 'retry failed and waiting blocks now');
