import yargs, { type Argv } from 'yargs';
import { readVersion } from '../config/package-root.js';
import { FirebreakError } from '../core/errors.js';
import { widthOf } from '../runtime/terminal.js';
import { globals, type Command } from './command.js';

/** Every command, in the order of the help; loaded when it is called. */
export const commands: Record<string, () => Promise<Command>> = {
  block: async () => (await import('./commands/block.js')).block,
  unblock: async () => (await import('./commands/unblock.js')).unblock,
  import: async () => (await import('./commands/import.js')).importList,
  approve: async () => (await import('./commands/decide.js')).approve,
  reject: async () => (await import('./commands/decide.js')).reject,
  retry: async () => (await import('./commands/decide.js')).retry,
  freeze: async () => (await import('./commands/freeze.js')).freeze,
  unfreeze: async () => (await import('./commands/freeze.js')).unfreeze,
  list: async () => (await import('./commands/list.js')).list,
  show: async () => (await import('./commands/show.js')).show,
  allow: async () => (await import('./commands/allow.js')).allow,
  disallow: async () => (await import('./commands/allow.js')).disallow,
  allowed: async () => (await import('./commands/allow.js')).allowed,
  check: async () => (await import('./commands/check.js')).check,
  report: async () => (await import('./commands/report.js')).report,
  audit: async () => (await import('./commands/audit.js')).audit,
  drain: async () => (await import('./commands/drain.js')).drain,
  expire: async () => (await import('./commands/drain.js')).expire,
  reconcile: async () => (await import('./commands/reconcile.js')).reconcile,
  init: async () => (await import('./commands/init.js')).init,
  doctor: async () => (await import('./commands/doctor.js')).doctor,
  config: async () => (await import('./commands/config.js')).config,
  gateway: async () => (await import('./commands/gateway.js')).gateway,
  sensor: async () => (await import('./commands/sensor.js')).sensor,
  install: async () => (await import('./commands/install.js')).install,
  uninstall: async () => (await import('./commands/install.js')).uninstall,
};

const usage = `$0 COMMAND

Turns a SIEM alarm into a proven firewall block, through Ansible.`;

/**
 * sshd passes a login shell `-c COMMAND` as its last arguments. Whatever a caller sends is the command, even `--help`
 * or `--config=…`, and never one of our own options.
 */
export const bindCommand = (argv: readonly string[]): readonly string[] =>
  argv[0] === 'gateway' && argv.at(-2) === '-c' ? [...argv.slice(0, -2), `-c=${argv.at(-1)}`] : argv;

/** The commands that these arguments may need: the one they name, or all of them for the help. */
function load(argv: readonly string[]): Promise<Command[]> {
  const name = argv.find((argument) => Object.hasOwn(commands, argument));
  const loaders = Object.entries(commands).filter(
    ([each]) => name === undefined || argv.includes('--help') || each === name,
  );
  return Promise.all(loaders.map(([, loader]) => loader()));
}

/** A parser for these arguments that calls `run` with the command they name; errors are `usage`. */
export async function makeParser(
  argv: readonly string[],
  run: (command: Command, args: object) => void,
): Promise<Argv> {
  const root = yargs(argv).scriptName('firebreak').usage(usage).options(globals);
  return (await load(argv))
    .reduce<Argv>((parser, command) => {
      const handle = (args: object): void => run(command, args);
      return parser.command(command.usage, command.summary, command.options, handle);
    }, root)
    .parserConfiguration({ 'parse-numbers': false, 'parse-positional-numbers': false, 'camel-case-expansion': false })
    .demandCommand(1, 'no command given: run firebreak block, unblock, list, …')
    .strict()
    .version(readVersion())
    .help()
    .wrap(Math.min(100, widthOf()))
    .exitProcess(false)
    .fail((message, error) => {
      const thrown = error as Error | null | undefined; // a YError, or none if yargs itself reports it
      if (thrown && thrown.name !== 'YError') throw thrown;
      throw new FirebreakError('usage', `${message || thrown?.message}; see firebreak --help`);
    });
}
