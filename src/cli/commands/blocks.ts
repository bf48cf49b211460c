import type { Argv } from 'yargs';
import type { BlockArguments } from '../../intake/argv.js';
import { all, check, firewall, wait, type Commands, type Run } from '../options.js';

/** Commands that change what is blocked. */
export const blocks: Commands = {
  block: (argv, run) =>
    argv.command(
      'block [SOURCE] [DESTINATION] [PORT] [INTERFACE] [TYPE] [IPPROTO] [DESCRIPTION..]',
      'block a source on the firewalls, and prove it',
      defineBlock,
      (args) =>
        run(args, async (context) => {
          const { block } = await import('../../app/submit.js');
          return block(
            {
              argv: args as BlockArguments,
              firewalls: args.firewall,
              check: args.check,
              wait: args.wait,
              override: args['override-policy'],
              recheck: args.recheck,
            },
            context,
          );
        }),
    ),
  unblock: (argv, run) =>
    argv.command(
      'unblock [source] [destination] [port]',
      'release every block that matches, and prove it',
      (args) =>
        args
          .positional('source', { type: 'string', describe: 'blocked address' })
          .positional('destination', { type: 'string', describe: 'only towards this address' })
          .positional('port', { type: 'string', describe: 'only this port' })
          .options({
            id: { type: 'string', requiresArg: true, describe: 'this one block, or the end of its id' },
            firewall,
            check,
            wait,
          }),
      (args) =>
        run(args, async (context) => {
          const { unblock } = await import('../../app/release.js');
          const { source, destination, port, id } = args;
          return unblock(
            { source, destination, port, id, firewalls: args.firewall, check: args.check, wait: args.wait },
            context,
          );
        }),
    ),
  import: (argv, run) =>
    argv.command(
      'import <file>',
      'block a list: CSV, JSON, or one address a line; - is stdin',
      (args) =>
        args.positional('file', { type: 'string', demandOption: true, describe: 'the list' }).options({
          'dst-ip': { type: 'string', requiresArg: true, describe: 'destination of entries that name none' },
          'dst-port': { type: 'string', requiresArg: true, describe: 'port of entries that name none' },
          protocol: { type: 'string', requiresArg: true, describe: 'protocol of entries that name none' },
          interface: { type: 'string', requiresArg: true, describe: 'interface of entries that name none' },
          description: { type: 'string', requiresArg: true, describe: 'why, for entries that do not say' },
          for: { type: 'string', requiresArg: true, describe: 'how long: 30m, 24h, 7d, forever' },
          firewall,
          wait,
        }),
      (args) =>
        run(args, async (context) => {
          const { importList } = await import('../../app/import.js');
          return importList(
            { file: args.file, defaults: importDefaults(args), firewalls: args.firewall, wait: args.wait },
            context,
          );
        }),
    ),
  approve: (argv, run) =>
    argv.command('approve [id]', 'let held blocks go on', defineMove, (args) => decide('approve', args, run)),
  reject: (argv, run) =>
    argv.command('reject [id]', 'refuse held blocks', defineMove, (args) => decide('reject', args, run)),
  retry: (argv, run) =>
    argv.command('retry [id]', 'try failed and waiting blocks again, now', defineMove, (args) =>
      decide('retry', args, run),
    ),
  freeze: (argv, run) =>
    argv.command(
      'freeze [reason..]',
      'stop all changes on all firewalls; what comes is kept',
      (args) => args.positional('reason', { type: 'string', array: true, default: [] as string[], describe: 'why' }),
      (args) =>
        run(args, async (context) => (await import('../../app/freeze.js')).freeze(args.reason.join(' '), context)),
    ),
  unfreeze: (argv, run) =>
    argv.command('unfreeze', 'let changes go on, and carry what was kept', {}, (args) =>
      run(args, async (context) => (await import('../../app/freeze.js')).unfreeze(context)),
    ),
};

const defineBlock = (args: Argv) =>
  args
    .positional('SOURCE', { type: 'string', describe: 'address to block' })
    .positional('DESTINATION', { type: 'string', describe: 'address it attacks' })
    .positional('PORT', { type: 'string', describe: 'port it attacks' })
    .positional('INTERFACE', { type: 'string', describe: "the firewall's key of the interface it enters by" })
    .positional('TYPE', { type: 'string', describe: 'block (drop) or reject (answer)' })
    .positional('IPPROTO', { type: 'string', describe: 'inet or inet6; found by the addresses' })
    .positional('DESCRIPTION', { type: 'string', array: true, describe: 'why, in several words' })
    .options({
      'src-ip': { type: 'string', requiresArg: true, describe: 'as SOURCE' },
      'dst-ip': { type: 'string', requiresArg: true, describe: 'as DESTINATION' },
      'dst-port': { type: 'string', requiresArg: true, describe: 'as PORT' },
      interface: { type: 'string', requiresArg: true, describe: 'as INTERFACE' },
      type: { type: 'string', requiresArg: true, describe: 'as TYPE' },
      ipproto: { type: 'string', requiresArg: true, describe: 'as IPPROTO' },
      description: { type: 'string', requiresArg: true, describe: 'as DESCRIPTION, one word of the shell' },
      protocol: { type: 'string', requiresArg: true, describe: 'tcp, udp, tcp/udp, icmp or any' },
      for: { type: 'string', requiresArg: true, describe: 'how long: 30m, 24h, 7d, forever' },
      firewall,
      'event-id': { type: 'string', describe: "the SIEM's id of the event" },
      'backlog-id': { type: 'string', describe: "the SIEM's id of the alarm" },
      'plugin-id': { type: 'string', describe: "the SIEM's data source" },
      'plugin-sid': { type: 'string', describe: "the SIEM's event type" },
      risk: { type: 'string', describe: "the SIEM's risk" },
      sensor: { type: 'string', describe: "the SIEM's sensor" },
      'override-policy': { type: 'string', requiresArg: true, describe: 'block it against the policy; say why' },
      recheck: {
        type: 'boolean',
        default: false,
        describe: 'have a block that stands proven anew, however young its proof',
      },
      check,
      wait,
    });

const defineMove = (args: Argv) =>
  args.positional('id', { type: 'string', describe: 'its id, or the end of it' }).options({ all });

const decide = (move: 'approve' | 'reject' | 'retry', args: { id: string | undefined; all: boolean }, run: Run) =>
  run(args, async (context) =>
    (await import('../../app/decide.js')).decide(move, { id: args.id, all: args.all }, context),
  );

function importDefaults(args: Record<string, unknown>): Record<string, string> {
  const words = {
    destination: args['dst-ip'],
    port: args['dst-port'],
    protocol: args['protocol'],
    interface: args['interface'],
    description: args['description'],
    duration: args['for'],
  };
  return Object.fromEntries(
    Object.entries(words).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
