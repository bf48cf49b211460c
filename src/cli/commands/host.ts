import type { Commands } from '../options.js';

const user = {
  type: 'string',
  requiresArg: true,
  default: 'siem',
  describe: 'the account that the SIEM logs in to',
} as const;
const owner = {
  type: 'string',
  requiresArg: true,
  default: 'firebreak',
  describe: 'the account that applies alarms, and has key, ledger and audit log; for a trial the same',
} as const;
const host = {
  root: { type: 'string', requiresArg: true, default: '/', describe: 'folder that holds the host, as of an image' },
  yes: { type: 'boolean', default: false, describe: 'do it without asking' },
  'dry-run': { type: 'boolean', default: false, describe: 'show it, do nothing' },
} as const;

/** Commands that set a host up, and undo it. */
export const hosts: Commands = {
  install: (argv, run) =>
    argv.command(
      'install',
      'set up the accounts and the timers, after showing what that writes',
      (args) =>
        args.options({
          systemd: { type: 'boolean', default: false, describe: 'for a host with systemd' },
          user,
          owner,
          ...host,
        }),
      (args) =>
        run(args, async (context) => {
          const { install } = await import('../../app/install.js');
          const { systemd, root, yes } = args;
          return install({ systemd, user: args.user, owner: args.owner, root, yes, dryRun: args['dry-run'] }, context);
        }),
    ),
  uninstall: (argv, run) =>
    argv.command(
      'uninstall',
      'take out what install wrote; ledger, configuration and keys stay',
      (args) => args.options(host),
      (args) =>
        run(args, async () => {
          const { uninstall } = await import('../../app/install.js');
          return uninstall({ root: args.root, yes: args.yes, dryRun: args['dry-run'] });
        }),
    ),
};
