#!/usr/bin/env node
import yargs, { type Argv } from 'yargs';
import type { CommandContext, CommandResult } from './commands/result.js';
import { readVersion } from './config/package-root.js';
import { FirebreakError } from './core/errors.js';
import type { BlockArguments } from './intake/argv.js';

interface GlobalArguments {
  config?: string;
  json?: boolean;
}

const usage = `$0 COMMAND

Turns a SIEM alarm into a proven firewall block, through Ansible.`;

function defineCommands(argv: readonly string[], run: Run): Argv {
  return yargs(argv)
    .scriptName('firebreak')
    .usage(usage)
    .option('config', { type: 'string', requiresArg: true, describe: 'configuration file' })
    .option('json', { type: 'boolean', describe: 'print exactly one JSON document' })
    .command(
      'block [source] [destination] [port] [interface] [type] [ipproto] [description..]',
      'block a source on the firewalls, and prove it',
      defineBlock,
      (args) =>
        run(args, async (context) => {
          const { block } = await import('./commands/block.js');
          const { firewall = [], check = false } = args;
          return block({ argv: args as BlockArguments, firewalls: firewall, check }, context);
        }),
    )
    .command('config', 'print the configuration in force', {}, (args) =>
      run(args, async (context) => (await import('./commands/config.js')).showConfig(context)),
    )
    .parserConfiguration({ 'parse-numbers': false, 'parse-positional-numbers': false, 'camel-case-expansion': false })
    .demandCommand(1, 'say what to do: firebreak block, firebreak config')
    .strict()
    .version(readVersion())
    .help()
    .wrap(Math.min(100, process.stdout.columns || 80))
    .exitProcess(false)
    .fail((message, error) => {
      throw (error as Error | null) ?? new FirebreakError('usage', `${message}; see firebreak --help`); // null where yargs itself complains
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
    .positional('description', { type: 'string', array: true, describe: 'why; several words' })
    .options({
      'src-ip': { type: 'string', requiresArg: true, describe: 'as SOURCE' },
      'dst-ip': { type: 'string', requiresArg: true, describe: 'as DESTINATION' },
      'dst-port': { type: 'string', requiresArg: true, describe: 'as PORT' },
      protocol: { type: 'string', requiresArg: true, describe: 'tcp, udp, tcp/udp, icmp or any' },
      for: { type: 'string', requiresArg: true, describe: 'how long: forever' },
      firewall: { type: 'string', array: true, requiresArg: true, describe: 'only this one; repeatable' },
      'event-id': { type: 'string', describe: "the SIEM's id of the event" },
      'backlog-id': { type: 'string', describe: "the SIEM's id of the alarm" },
      'plugin-id': { type: 'string', describe: "the SIEM's data source" },
      'plugin-sid': { type: 'string', describe: "the SIEM's event type" },
      risk: { type: 'string', describe: "the SIEM's risk" },
      sensor: { type: 'string', describe: "the SIEM's sensor" },
      check: { type: 'boolean', describe: 'dry run: say what would change, change nothing' },
    });

type Run = (args: object, command: (context: CommandContext) => Promise<CommandResult>) => Promise<void>;

const tell = (message: string): void => void process.stderr.write(`firebreak: ${message}\n`);

const runCommand: Run = async (args, command) => {
  const { config, json = false } = args as GlobalArguments; // yargs' types leave out the options of the whole
  const result = await command({ configFile: config, tell });
  process.stdout.write(`${json ? JSON.stringify(result.json) : result.text}\n`);
  process.exitCode = result.exit;
};

async function main(argv: readonly string[]): Promise<void> {
  process.umask(0o077); // OSSIM calls with 0, and all that we write is ours alone
  try {
    await defineCommands(argv, runCommand).parseAsync();
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
    process.stdout.write(`${JSON.stringify(errorToJson({ code, message, exit }))}\n`);
  } else {
    for (const line of message.split('\n')) tell(line);
  }
  return exit;
}

await main(process.argv.slice(2));
