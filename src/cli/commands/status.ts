import { withReader } from '../../app/context.js';
import { readStatus } from '../../app/status.js';
import { widthOf } from '../../runtime/terminal.js';
import { statusToJson, statusToText } from '../../views/status-screen.js';
import { defineCommand } from '../command.js';

export const status = defineCommand({
  usage: 'status',
  summary: 'show how things are: freeze, firewalls, blocks, alarms, messages',
  options: (argv) => argv,
  run: (_, caller) =>
    withReader(caller, async (app) => {
      const found = await readStatus(app);
      return { exit: 0, text: statusToText(found, widthOf()), json: statusToJson(found) };
    }),
});
