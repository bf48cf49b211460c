import { withApp } from '../../app/context.js';
import { release } from '../../app/release.js';
import { FirebreakError } from '../../core/errors.js';
import { toAnswerOutput } from '../../views/answer.js';
import { check, defineCommand, firewall, wait } from '../command.js';

export const unblock = defineCommand({
  usage: 'unblock [target..]',
  summary: 'release every matching block, and prove it',
  options: (argv) =>
    argv
      .positional('target', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'SOURCE [DESTINATION [PORT]], or any number of ids, addresses and networks',
      })
      .options({
        id: { type: 'string', requiresArg: true, describe: 'only this block: its id or the last characters of it' },
        last: { type: 'boolean', default: false, describe: 'what you blocked last' },
        grace: {
          type: 'string',
          requiresArg: true,
          describe: 'do not block the source again for this time; 0: at once',
        },
        allow: {
          type: 'string',
          array: true,
          nargs: 2,
          describe: 'put the source on the allowlist: for how long, and why',
        },
        firewall,
        check,
        wait,
      }),
  run: (args, caller) => {
    const { target, id, last, firewall: firewalls, grace, allow } = args;
    if (id !== undefined && target.length > 0) throw new FirebreakError('usage', 'give SOURCE or --id, not both');
    const targets = id === undefined ? target : [id];
    const options = { targets, last, firewalls, grace, allow, check: args.check, wait: args.wait };
    return withApp(caller, async (app) => toAnswerOutput(await release(options, app)));
  },
});
