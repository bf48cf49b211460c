import { commentOnBlock, extendBlock } from '../../app/amend.js';
import { withApp } from '../../app/context.js';
import { shortId } from '../../core/block.js';
import { describeFlow } from '../../core/describe-flow.js';
import { formatLocal } from '../../core/local-time.js';
import { blockToJson } from '../../views/json.js';
import { defineCommand, id, parseSpan } from '../command.js';

export const extend = defineCommand({
  usage: 'extend <id>',
  summary: 'let a block end later',
  options: (argv) =>
    argv.positional('id', { type: 'string', demandOption: true, describe: id }).option('for', {
      type: 'string',
      requiresArg: true,
      demandOption: true,
      describe: 'how long from now: 90m, 24h, 30d, forever',
    }),
  run: (args, caller) => {
    const forMs = parseSpan('--for', args.for);
    return withApp(caller, async (app) => {
      const block = await extendBlock(args.id, forMs, app);
      const until = block.expiresAt === null ? 'forever' : `to ${formatLocal(block.expiresAt)}`;
      const text = `${block.firewall}: extended ${until}: ${describeFlow(block.flow)} (id ${shortId(block)})`;
      return { exit: 0, text, json: { blocks: [blockToJson(block)] } };
    });
  },
});

export const comment = defineCommand({
  usage: 'comment <id> [text..]',
  summary: 'note something about a block; without a text, remove the note',
  options: (argv) =>
    argv
      .positional('id', { type: 'string', demandOption: true, describe: id })
      .positional('text', { type: 'string', array: true, default: [] as string[], describe: 'what show will display' }),
  run: ({ id: chosen, text: words }, caller) =>
    withApp(caller, async (app) => {
      const block = await commentOnBlock(chosen, words.join(' '), app);
      const what = block.comment === null ? 'removed the comment on' : 'noted on';
      const text = `${block.firewall}: ${what} ${describeFlow(block.flow)} (id ${shortId(block)})`;
      return { exit: 0, text, json: { blocks: [{ ...blockToJson(block), comment: block.comment }] } };
    }),
});
