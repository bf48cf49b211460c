import { allow as addToList, disallow as removeFromList } from '../../app/allow.js';
import { withApp } from '../../app/context.js';
import { describeAllowance } from '../../core/allowance.js';
import { widthOf } from '../../runtime/terminal.js';
import { allowanceToJson, toAllowedTable } from '../../views/allowed-table.js';
import { defineCommand } from '../command.js';

export const allow = defineCommand({
  usage: 'allow <address> <reason..>',
  summary: 'never block an address, a network or a host name',
  options: (argv) =>
    argv
      .positional('address', { type: 'string', demandOption: true, describe: 'address, network or host name' })
      .positional('reason', { type: 'string', array: true, demandOption: true, describe: 'why' })
      .option('for', { type: 'string', requiresArg: true, describe: 'for how long: 30m, 24h, 7d; default: forever' }),
  run: (args, caller) =>
    withApp(caller, async (app) => {
      const entry = await addToList(args.address, { time: args.for, reason: args.reason.join(' ') }, app);
      const text = `${entry.address} is ${describeAllowance(entry, entry.address)}; a block of it is released by the next firebreak expire`;
      return { exit: 0, text, json: allowanceToJson(entry) };
    }),
});

export const disallow = defineCommand({
  usage: 'disallow <address>',
  summary: 'remove an address from the allowlist, and end its grace time',
  options: (argv) =>
    argv.positional('address', { type: 'string', demandOption: true, describe: 'as firebreak allowed shows it' }),
  run: (args, caller) =>
    withApp(caller, async (app) => {
      const address = await removeFromList(args.address, app);
      return { exit: 0, text: `${address} may be blocked again`, json: { address } };
    }),
});

export const allowed = defineCommand({
  usage: 'allowed',
  summary: 'list the allowlist, and the grace times of released sources',
  options: (argv) => argv,
  run: (_, caller) =>
    withApp(caller, async ({ ledger }) => {
      const entries = await ledger.findAllowances();
      const text = toAllowedTable(entries, await ledger.now(), widthOf());
      return { exit: 0, text, json: { allowed: entries.map(allowanceToJson) } };
    }),
});
