import { firewall, type Commands } from '../options.js';

/** Commands that keep ledger and firewalls in step, for timers and operators. */
export const upkeep: Commands = {
  drain: (argv, run) =>
    argv.command(
      'drain',
      'carry out all that is pending or due for its next try',
      (args) => args.option('owner', { type: 'string', hidden: true }),
      (args) =>
        run(args, async (context) =>
          (await import('../../app/drain.js')).drain({ expire: false, owner: args.owner }, context),
        ),
    ),
  expire: (argv, run) =>
    argv.command('expire', 'release what is past its time, then drain', {}, (args) =>
      run(args, async (context) => (await import('../../app/drain.js')).drain({ expire: true }, context)),
    ),
  reconcile: (argv, run) =>
    argv.command(
      'reconcile',
      'compare ledger and firewalls: what is missing, changed, unknown',
      (args) =>
        args.options({
          fix: { type: 'boolean', default: false, describe: 'make the firewalls agree with the ledger' },
          firewall,
        }),
      (args) =>
        run(args, async (context) =>
          (await import('../../app/reconcile.js')).reconcile({ fix: args.fix, firewalls: args.firewall }, context),
        ),
    ),
};
