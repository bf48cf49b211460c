import { withReader } from '../../app/context.js';
import { listBlocks } from '../../app/list.js';
import { widthOf } from '../../runtime/terminal.js';
import { toCsvPages, toJsonPages, toListPages } from '../../views/block-table.js';
import { defineCommand, firewall } from '../command.js';
import { printPieces } from '../output.js';

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
  run: ({ state, source, firewall: firewalls, csv, json = false }, caller) =>
    withReader(caller, async (app) => {
      const read = await listBlocks({ state, source, firewalls }, app);
      if (json) await printPieces(toJsonPages(read()));
      else if (csv) await printPieces(toCsvPages(read()));
      else await printPieces(toListPages(read, await app.ledger.now(), widthOf()));
      return { exit: 0 };
    }),
});
