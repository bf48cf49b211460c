import { checkAddress } from '../../app/check-address.js';
import { withReader } from '../../app/context.js';
import { widthOf } from '../../runtime/terminal.js';
import { toList } from '../../views/block-table.js';
import { blockToJson } from '../../views/json.js';
import { defineCommand } from '../command.js';

export const check = defineCommand({
  usage: 'check <address>',
  summary: 'show whether an address may be blocked, whether it is, and what protects it',
  options: (argv) => argv.positional('address', { type: 'string', demandOption: true, describe: 'address or network' }),
  run: (args, caller) =>
    withReader(caller, async (app) => {
      const { address, refusal, remarks, blocks, now } = await checkAddress(args.address, app);
      const answer = refusal ?? `${address} may be blocked: the policy does not protect it`;
      const current = blocks.length === 0 ? 'no current block for it' : toList(blocks, { now, width: widthOf() });
      return {
        exit: refusal === undefined ? 0 : 3,
        text: [answer, ...remarks, current].join('\n'),
        json: {
          address,
          allowed: refusal === undefined,
          reason: refusal ?? null,
          remarks,
          blocks: blocks.map(blockToJson),
        },
      };
    }),
});
