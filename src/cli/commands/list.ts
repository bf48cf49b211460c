import { withReader } from '../../app/context.js';
import { listBlocks } from '../../app/list.js';
import { widthOf } from '../../runtime/terminal.js';
import { toCsv, toList } from '../../views/block-table.js';
import { blockToJson } from '../../views/json.js';
import { defineCommand, firewall } from '../command.js';

export const list = defineCommand({
  usage: 'list',
  summary: 'list current blocks',
  options: (argv) =>
    argv.options({
      state: { type: 'string', requiresArg: true, describe: 'only this state; all includes past blocks' },
      source: {
        type: 'string',
        requiresArg: true,
        describe: 'only this source, what is inside it, and what covers it',
      },
      firewall,
      csv: { type: 'boolean', default: false, describe: 'as CSV' },
    }),
  run: ({ state, source, firewall: firewalls, csv }, caller) =>
    withReader(caller, async (app) => {
      const blocks = await listBlocks({ state, source, firewalls }, app);
      const text = csv ? toCsv(blocks) : toList(blocks, await app.ledger.now(), widthOf());
      return { exit: 0, text, json: { blocks: blocks.map(blockToJson) } };
    }),
});
