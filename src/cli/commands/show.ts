import { withReader } from '../../app/context.js';
import { readDetails } from '../../app/list.js';
import { detailsToJson, detailsToText } from '../../views/show.js';
import { defineCommand, id } from '../command.js';

export const show = defineCommand({
  usage: 'show <id>',
  summary: 'show one block in detail',
  options: (argv) => argv.positional('id', { type: 'string', demandOption: true, describe: id }),
  run: (args, caller) =>
    withReader(caller, async (app) => {
      const details = await readDetails(args.id, app);
      return { exit: 0, text: detailsToText(details), json: detailsToJson(details) };
    }),
});
