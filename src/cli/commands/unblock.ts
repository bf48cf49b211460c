import { withApp } from '../../app/context.js';
import { release } from '../../app/release.js';
import { toAnswerOutput } from '../../views/answer.js';
import { check, defineCommand, firewall, wait } from '../command.js';

export const unblock = defineCommand({
  usage: 'unblock [source] [destination] [port]',
  summary: 'release every matching block, and prove it',
  options: (argv) =>
    argv
      .positional('source', { type: 'string', describe: 'blocked address, or a network: every block inside it' })
      .positional('destination', { type: 'string', describe: 'only towards this address' })
      .positional('port', { type: 'string', describe: 'only this port' })
      .options({
        id: { type: 'string', requiresArg: true, describe: 'only this block: its id or the last characters of it' },
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
    const { source, destination, port, id, firewall: firewalls } = args;
    const { grace, allow } = args;
    const options = { source, destination, port, id, firewalls, grace, allow, check: args.check, wait: args.wait };
    return withApp(caller, async (app) => toAnswerOutput(await release(options, app)));
  },
});
