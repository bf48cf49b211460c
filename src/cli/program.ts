import yargs, { type Argv } from 'yargs';
import { readVersion } from '../config/package-root.js';
import { FirebreakError } from '../core/errors.js';
import { widthOf } from '../runtime/terminal.js';
import { blocks } from './commands/blocks.js';
import { hosts } from './commands/host.js';
import { looks } from './commands/looks.js';
import { globals, type Commands, type Run } from './options.js';
import { setup } from './commands/setup.js';
import { upkeep } from './commands/upkeep.js';

const usage = `$0 COMMAND

Turns a SIEM alarm into a proven firewall block, through Ansible.`;

/** All that can be called, in the order of the help. */
export const commands: Commands = { ...blocks, ...looks, ...upkeep, ...setup, ...hosts };

/**
 * sshd hands a login shell `-c COMMAND` as its last words. Whatever a caller sends is the command, be it `--help` or
 * `--config=…`, and none of our own options.
 */
export const bindCommand = (argv: readonly string[]): readonly string[] =>
  argv[0] === 'gateway' && argv.at(-2) === '-c' ? [...argv.slice(0, -2), `-c=${argv.at(-1)}`] : argv;

/** A parser for these words that runs the command they name; errors are `usage`. */
export function makeParser(argv: readonly string[], run: Run): Argv {
  const named = argv.find((word) => Object.hasOwn(commands, word));
  const isHelp = argv.includes('--help');
  const definitions = Object.entries(commands).filter(([name]) => isHelp || named === undefined || name === named);
  const root = yargs(argv).scriptName('firebreak').usage(usage).options(globals);
  return definitions
    .reduce<Argv>((parser, [, define]) => define(parser, run), root)
    .parserConfiguration({ 'parse-numbers': false, 'parse-positional-numbers': false, 'camel-case-expansion': false })
    .demandCommand(1, 'say what to do: firebreak block, unblock, list, …')
    .strict()
    .version(readVersion())
    .help()
    .wrap(Math.min(100, widthOf()))
    .exitProcess(false)
    .fail((message, error) => {
      const thrown = error as Error | null | undefined; // a YError, or none, where yargs itself complains
      if (thrown && thrown.name !== 'YError') throw thrown;
      throw new FirebreakError('usage', `${message || thrown?.message}; see firebreak --help`);
    });
}
