#!/usr/bin/env node
import yargs, { type Argv } from 'yargs';
import type { CommandContext, CommandResult } from './commands/result.js';
import { readVersion } from './config/package-root.js';
import { FirebreakError } from './core/errors.js';
import { toPrintable, toPrintableJson } from './core/printable.js';
import type { BlockArguments } from './intake/argv.js';
import { outliveCaller } from './runtime/shutdown.js';

interface GlobalArguments {
  config?: string;
  json?: boolean;
}

type Run = (args: object, command: (context: CommandContext) => Promise<CommandResult>) => void;

const usage = `$0 COMMAND

Turns a SIEM alarm into a proven firewall block, through Ansible.`;

const firewall = {
  type: 'string',
  array: true,
  default: [] as string[],
  requiresArg: true,
  describe: 'only this one; repeatable',
} as const;
const check = { type: 'boolean', default: false, describe: 'dry run: say what would change, change nothing' } as const;
const wait = {
  type: 'boolean',
  default: true,
  describe: 'wait for the proof; --no-wait returns when it is kept',
} as const;
const all = { type: 'boolean', default: false, describe: 'all of them' } as const;

/** The table of commands. Each is defined when it is called, and imported then: the others would cost more than it does. */
const commands: Record<string, (argv: Argv, run: Run) => Argv> = {
  block: (argv, run) =>
    argv.command(
      'block [source] [destination] [port] [interface] [type] [ipproto] [words..]',
      'block a source on the firewalls, and prove it',
      defineBlock,
      (args) =>
        run(args, async (context) => {
          const { block } = await import('./commands/block.js');
          return block(
            {
              argv: args as BlockArguments,
              firewalls: args.firewall,
              check: args.check,
              wait: args.wait,
              override: args['override-policy'],
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
          const { unblock } = await import('./commands/unblock.js');
          const { source, destination, port, id } = args;
          return unblock(
            { source, destination, port, id, firewalls: args.firewall, check: args.check, wait: args.wait },
            context,
          );
        }),
    ),
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
          const { list } = await import('./commands/list.js');
          return list({ state: args.state, source: args.source, firewalls: args.firewall, csv: args.csv }, context);
        }),
    ),
  show: (argv, run) =>
    argv.command(
      'show <id>',
      'all that is known of one block',
      (args) => args.positional('id', { type: 'string', demandOption: true, describe: 'its id, or the end of it' }),
      (args) => run(args, async (context) => (await import('./commands/list.js')).show(args.id, context)),
    ),
  approve: (argv, run) =>
    argv.command('approve [id]', 'let held blocks go on', defineMove, (args) => decide('approve', args, run)),
  reject: (argv, run) =>
    argv.command('reject [id]', 'refuse held blocks', defineMove, (args) => decide('reject', args, run)),
  retry: (argv, run) =>
    argv.command('retry [id]', 'try failed and waiting blocks again, now', defineMove, (args) =>
      decide('retry', args, run),
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
          const { importList } = await import('./commands/import.js');
          return importList(
            { file: args.file, defaults: importDefaults(args), firewalls: args.firewall, wait: args.wait },
            context,
          );
        }),
    ),
  drain: (argv, run) =>
    argv.command(
      'drain',
      'carry out all that is pending or due for its next try',
      (args) => args.option('owner', { type: 'string', hidden: true }),
      (args) =>
        run(args, async (context) =>
          (await import('./commands/drain.js')).drain({ expire: false, owner: args.owner }, context),
        ),
    ),
  expire: (argv, run) =>
    argv.command('expire', 'release what is past its time, then drain', {}, (args) =>
      run(args, async (context) => (await import('./commands/drain.js')).drain({ expire: true }, context)),
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
          (await import('./commands/reconcile.js')).reconcile({ fix: args.fix, firewalls: args.firewall }, context),
        ),
    ),
  gateway: (argv, run) =>
    argv.command(
      'gateway',
      'take one alarm over SSH, as the command that sshd runs for a login',
      (args) =>
        args.options({
          'authorized-key': {
            type: 'string',
            requiresArg: true,
            describe: "print a public key's line for authorized_keys",
          },
          c: { type: 'string', requiresArg: true, describe: 'the command, as sshd hands it to a login shell' },
        }),
      (args) =>
        run(args, async (context) => {
          const { gateway } = await import('./commands/gateway.js');
          return gateway({ command: args.c, authorizedKey: args['authorized-key'] }, context);
        }),
    ),
  sensor: (argv, run) =>
    argv.command('sensor', "print the script for the SIEM's host", defineSensor, (args) =>
      run(args, async () => {
        const { sensor } = await import('./commands/sensor.js');
        return sensor({
          host: args.host,
          user: args.user,
          port: args.port,
          keyFile: args['key-file'],
          passwordFile: args['password-file'],
          knownHostsFile: args['known-hosts-file'],
          command: args.command,
          script: args.script,
          spool: args.spool,
          most: args['spool-most'],
          days: args['spool-days'],
          connectSeconds: args['connect-timeout'],
          totalSeconds: args.timeout,
          check: args.check,
        });
      }),
    ),
  check: (argv, run) =>
    argv.command(
      'check <address>',
      'whether an address would be blocked, whether it is, and which rule says no',
      (args) => args.positional('address', { type: 'string', demandOption: true, describe: 'address or network' }),
      (args) => run(args, async (context) => (await import('./commands/check.js')).check(args.address, context)),
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
          .option('verify', { type: 'boolean', default: false, describe: 'check the whole chain' }),
      (args) =>
        run(args, async (context) =>
          (await import('./commands/audit.js')).audit({ older: args.older, verify: args.verify }, context),
        ),
    ),
  freeze: (argv, run) =>
    argv.command(
      'freeze [reason..]',
      'stop all changes on all firewalls; what comes is kept',
      (args) => args.positional('reason', { type: 'string', array: true, default: [] as string[], describe: 'why' }),
      (args) =>
        run(args, async (context) => (await import('./commands/freeze.js')).freeze(args.reason.join(' '), context)),
    ),
  unfreeze: (argv, run) =>
    argv.command('unfreeze', 'let changes go on, and carry what was kept', {}, (args) =>
      run(args, async (context) => (await import('./commands/freeze.js')).unfreeze(context)),
    ),
  init: (argv, run) =>
    argv.command(
      'init',
      'write a first configuration and what it names; asks on a terminal',
      (args) =>
        args.options({
          host: { type: 'string', requiresArg: true, describe: 'address or name of the firewall' },
          name: { type: 'string', requiresArg: true, describe: 'what to call it (edge)' },
          user: { type: 'string', requiresArg: true, describe: 'who logs in there (root)' },
          port: { type: 'string', requiresArg: true, describe: 'its SSH port (22)' },
          'state-dir': { type: 'string', requiresArg: true, describe: 'folder for the ledger (/var/lib/firebreak)' },
          'mail-to': { type: 'string', requiresArg: true, describe: 'who is told when a block is not in force' },
          key: { type: 'boolean', describe: 'make a key pair for it' },
        }),
      (args) =>
        run(args, async (context) => {
          const { init } = await import('./commands/init.js');
          const { host, name, user, port, key } = args;
          return init({ host, name, user, port, key, stateDir: args['state-dir'], mailTo: args['mail-to'] }, context);
        }),
    ),
  doctor: (argv, run) =>
    argv.command(
      'doctor',
      'look at all that a block needs, and say how to mend what is wrong',
      (args) =>
        args.options({
          send: { type: 'boolean', default: false, describe: 'send a test mail as well' },
          firewall,
        }),
      (args) =>
        run(args, async (context) => {
          const { doctor } = await import('./commands/doctor.js');
          const isColoured = process.stdout.isTTY && !process.env['NO_COLOR'];
          return doctor({ send: args.send, firewalls: args.firewall, isColoured }, context);
        }),
    ),
  config: (argv, run) =>
    argv.command(
      'config',
      'print the configuration in force',
      (args) =>
        args.option('explain', { type: 'string', requiresArg: true, describe: 'say what this key means instead' }),
      (args) =>
        run(args, async (context) => {
          const { showConfig, explainConfig } = await import('./commands/config.js');
          return args.explain === undefined ? showConfig(context) : explainConfig(args.explain);
        }),
    ),
};

function defineCommands(argv: readonly string[], run: Run): Argv {
  const named = argv.find((word) => Object.hasOwn(commands, word));
  const isHelp = argv.includes('--help');
  const definitions = Object.entries(commands).filter(([name]) => isHelp || named === undefined || name === named);
  const root = yargs(argv)
    .scriptName('firebreak')
    .usage(usage)
    .option('config', { type: 'string', requiresArg: true, describe: 'configuration file' })
    .option('json', { type: 'boolean', describe: 'print exactly one JSON document' });
  return definitions
    .reduce<Argv>((parser, [, define]) => define(parser, run), root)
    .parserConfiguration({ 'parse-numbers': false, 'parse-positional-numbers': false, 'camel-case-expansion': false })
    .demandCommand(1, 'say what to do: firebreak block, unblock, list, …')
    .strict()
    .version(readVersion())
    .help()
    .wrap(Math.min(100, process.stdout.columns || 80))
    .exitProcess(false)
    .fail((message, error) => {
      const thrown = error as Error | null | undefined; // a YError, or none, where yargs itself complains
      if (thrown && thrown.name !== 'YError') throw thrown;
      throw new FirebreakError('usage', `${message || thrown?.message}; see firebreak --help`);
    });
}

const defineBlock = (args: Argv) =>
  args
    .positional('source', { type: 'string', describe: 'address to block' })
    .positional('destination', { type: 'string', describe: 'address it attacks' })
    .positional('port', { type: 'string', describe: 'port it attacks' })
    .positional('interface', { type: 'string', describe: "the firewall's key of the interface it enters by" })
    .positional('type', { type: 'string', describe: 'block (drop) or reject (answer)' })
    .positional('ipproto', { type: 'string', describe: 'inet or inet6; found by the addresses' })
    .positional('words', { type: 'string', array: true, describe: 'the description, in several words' })
    .options({
      'src-ip': { type: 'string', requiresArg: true, describe: 'as SOURCE' },
      'dst-ip': { type: 'string', requiresArg: true, describe: 'as DESTINATION' },
      'dst-port': { type: 'string', requiresArg: true, describe: 'as PORT' },
      description: { type: 'string', requiresArg: true, describe: 'why, as one word of the shell' },
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
      check,
      wait,
    });

const defineMove = (args: Argv) =>
  args.positional('id', { type: 'string', describe: 'its id, or the end of it' }).options({ all });

const word = (describe: string, value: string) =>
  ({ type: 'string', requiresArg: true, default: value, describe }) as const;

const defineSensor = (args: Argv) =>
  args.options({
    host: { type: 'string', requiresArg: true, describe: 'where Firebreak is, as the SIEM reaches it' },
    user: { type: 'string', requiresArg: true, describe: 'its account there' },
    port: word('its SSH port there', '22'),
    'key-file': word("the key, on the SIEM's host", '/opt/firebreak/key'),
    'password-file': { type: 'string', requiresArg: true, describe: 'a file with the password instead (sshpass)' },
    'known-hosts-file': word('where the host key is recorded', '/opt/firebreak/known_hosts'),
    command: word('what is called there, where no gateway is forced', 'firebreak block'),
    script: word('where the script will lie', '/opt/firebreak/alarm'),
    spool: word('folder for alarms that could not be delivered', '/var/spool/firebreak'),
    'spool-most': word('how many it holds', '1000'),
    'spool-days': word('for how many days', '7'),
    'connect-timeout': word('seconds to reach the host', '10'),
    timeout: word('seconds for one alarm in all', '150'),
    check: { type: 'boolean', default: false, describe: 'a script that only asks for dry runs' },
  });

const decide = (move: 'approve' | 'reject' | 'retry', args: { id: string | undefined; all: boolean }, run: Run) =>
  run(args, async (context) =>
    (await import('./commands/decide.js')).decide(move, { id: args.id, all: args.all }, context),
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

const tell = (message: string): void => void process.stderr.write(`firebreak: ${toPrintable(message)}\n`);

async function runCommand(args: GlobalArguments, command: Parameters<Run>[1]): Promise<void> {
  const { config, json = false } = args;
  const result = await command({ configFile: config, tell });
  process.stdout.write(`${json ? toPrintableJson(result.json) : toPrintable(result.text)}\n`);
  process.exitCode = result.exit;
}

async function main(argv: readonly string[]): Promise<void> {
  outliveCaller();
  process.umask(0o077); // OSSIM calls with 0, and all that we write is ours alone
  try {
    let running = Promise.resolve();
    // Handed back to yargs, the promise would make it lay out the whole help at every call, in case it is needed.
    const run: Run = (args, command) => {
      running = runCommand(args, command);
    };
    await defineCommands(argv, run).parseAsync();
    await running;
  } catch (error) {
    process.exitCode = await tellError(error, argv.includes('--json'));
  }
}

async function tellError(error: unknown, json: boolean): Promise<number> {
  const known = error instanceof FirebreakError;
  const message = known
    ? error.message
    : `unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  const exit = known ? error.exit : 1;
  if (json) {
    const { errorToJson } = await import('./report/json.js');
    const code = known ? error.code : 'unexpected';
    process.stdout.write(`${toPrintableJson(errorToJson({ code, message, exit }))}\n`);
  } else {
    for (const line of message.split('\n')) tell(line);
  }
  return exit;
}

await main(process.argv.slice(2));
