import { withReader } from '../../app/context.js';
import { parseAddress } from '../../core/address.js';
import { readDetails } from '../../app/list.js';
import { detailsToJson, detailsToText } from '../../views/show.js';
import { defineCommand, id } from '../command.js';

export const show = defineCommand({
  usage: 'show <id>',
  summary: 'show one block in detail, or those of an address',
  options: (argv) => argv.positional('id', { type: 'string', demandOption: true, describe: `${id}; or an address` }),
  run: (args, caller) =>
    withReader(caller, async (app) => {
      const all = await readDetails(args.id, app);
      const isById = !parseAddress(args.id).ok;
      const documents = all.map(detailsToJson);
      const json = isById ? (documents[0] ?? {}) : { blocks: documents };
      return { exit: 0, text: all.map(detailsToText).join('\n\n'), json };
    }),
});
