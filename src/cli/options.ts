import type { Argv } from 'yargs';
import type { CommandContext, CommandResult } from '../app/result.js';

/** What a command does once its arguments are read; the command itself is imported then, and no sooner. */
export type Run = (args: object, command: (context: CommandContext) => Promise<CommandResult>) => void;

/** By name, what defines a command. Only the one that is called is defined: the others would cost more than it does. */
export type Commands = Record<string, (argv: Argv, run: Run) => Argv>;

/** What every command takes. */
export const globals = {
  config: { type: 'string', requiresArg: true, describe: 'configuration file' },
  json: { type: 'boolean', describe: 'print exactly one JSON document' },
} as const;
export const firewall = {
  type: 'string',
  array: true,
  default: [] as string[],
  requiresArg: true,
  describe: 'only this one; repeatable',
} as const;
export const check = {
  type: 'boolean',
  default: false,
  describe: 'dry run: say what would change, change nothing',
} as const;
export const wait = {
  type: 'boolean',
  default: true,
  describe: 'wait for the proof; --no-wait returns when it is kept',
} as const;
export const all = { type: 'boolean', default: false, describe: 'all of them' } as const;
