import { withReader } from '../../app/context.js';
import { listBlocks } from '../../app/list.js';
import { sortKeys } from '../../app/pick-blocks.js';
import { wantsColour, widthOf } from '../../runtime/terminal.js';
import { toCsvPages, toJsonPages, toListPages } from '../../views/block-table.js';
import { defineCommand, firewall, parseSpan } from '../command.js';
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
      tag: {
        type: 'string',
        array: true,
        default: [] as string[],
        requiresArg: true,
        describe: 'only with this tag; repeatable: with all of them',
      },
      since: { type: 'string', requiresArg: true, describe: 'only what changed within this time: 90m, 24h, 30d' },
      search: {
        type: 'string',
        requiresArg: true,
        describe: 'only with this text in an address, the description, the reason, the comment or the id',
      },
      sort: {
        type: 'string',
        requiresArg: true,
        describe: `${Object.keys(sortKeys).join(', ')}; by default the oldest request first`,
      },
      limit: { type: 'string', requiresArg: true, describe: 'only so many: the first if sorted, else the newest' },
      csv: { type: 'boolean', default: false, describe: 'as CSV' },
    }),
  run: ({ state, source, firewall: firewalls, tag: tags, csv, json = false, ...args }, caller) => {
    const { search, sort, limit } = args;
    const sinceMs = args.since === undefined ? null : parseSpan('--since', args.since);
    const options = { state, source, firewalls, tags, sinceMs, search, sort, limit };
    return withReader(caller, async (app) => {
      const read = await listBlocks(options, app);
      if (json) await printPieces(toJsonPages(read()));
      else if (csv) await printPieces(toCsvPages(read()));
      else {
        const layout = { now: await app.ledger.now(), width: widthOf(), colour: wantsColour() };
        await printPieces(toListPages(read, layout), true);
      }
      return { exit: 0 };
    });
  },
});
