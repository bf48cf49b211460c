import { firewall, type Commands } from '../options.js';

/** Commands that look, and change nothing. */
export const looks: Commands = {
  list: (argv, run) =>
    argv.command(
      'list',
      'what stands, since when and for how long',
      (args) =>
        args.options({
          state: { type: 'string', requiresArg: true, describe: 'only this state, or all of them' },
          source: { type: 'string', requiresArg: true, describe: 'only this source' },
          firewall,
          csv: { type: 'boolean', default: false, describe: 'as CSV' },
        }),
      (args) =>
        run(args, async (context) => {
          const { list } = await import('../../app/list.js');
          return list({ state: args.state, source: args.source, firewalls: args.firewall, csv: args.csv }, context);
        }),
    ),
  show: (argv, run) =>
    argv.command(
      'show <id>',
      'all that is known of one block',
      (args) => args.positional('id', { type: 'string', demandOption: true, describe: 'its id, or the end of it' }),
      (args) => run(args, async (context) => (await import('../../app/list.js')).show(args.id, context)),
    ),
  check: (argv, run) =>
    argv.command(
      'check <address>',
      'whether an address would be blocked, whether it is, and which rule says no',
      (args) => args.positional('address', { type: 'string', demandOption: true, describe: 'address or network' }),
      (args) => run(args, async (context) => (await import('../../app/check-address.js')).check(args.address, context)),
    ),
  report: (argv, run) =>
    argv.command(
      'report',
      'what happened: blocks by hour, who was met most, how long it took, what failed',
      (args) =>
        args.options({
          since: {
            type: 'string',
            requiresArg: true,
            default: '24h',
            describe: 'how far back: 90m, 24h, 30d, forever',
          },
          format: { type: 'string', requiresArg: true, default: 'text', describe: 'text, html or json' },
        }),
      (args) =>
        run(args, async (context) =>
          (await import('../../app/stats.js')).report({ since: args.since, format: args.format }, context),
        ),
    ),
  audit: (argv, run) =>
    argv.command(
      'audit [older..]',
      'the last decisions; --verify finds what was forged or cut',
      (args) =>
        args
          .positional('older', {
            type: 'string',
            array: true,
            default: [] as string[],
            describe: 'logs moved away, the oldest first',
          })
          .options({
            verify: { type: 'boolean', default: false, describe: 'check the whole chain' },
            anchor: {
              type: 'string',
              requiresArg: true,
              describe: 'check it, and that it holds this entry, NUMBER:HASH of a digest or of syslog',
            },
          }),
      (args) =>
        run(args, async (context) =>
          (await import('../../app/audit.js')).audit(
            { older: args.older, verify: args.verify, anchor: args.anchor },
            context,
          ),
        ),
    ),
};
