import type { Argv } from 'yargs';
import type { Caller } from '../app/context.js';
import { parseDuration } from '../core/duration.js';
import { FirebreakError, quoteBack } from '../core/errors.js';

/** A command's result. */
export type Result = Output | Printed;

/** The command has printed its result itself, piece by piece. */
export interface Printed {
  exit: number;
  text?: undefined;
}

/** What a command prints on stdout, as text or as JSON, and its exit code. */
export interface Output {
  exit: number;
  /** Undefined: the command has printed its result as it went. */
  text: string | undefined;
  /** The text contains our own colour codes; everything else in it was made printable. */
  isPrintable?: boolean;
  json: object;
}

/** One command: how it is called, what its help says, what it does. */
export interface Command {
  usage: string;
  summary: string;
  options: (argv: Argv) => Argv;
  /** Rewrites the arguments behind the command's name that yargs would misread. */
  bind?: (words: readonly string[]) => readonly string[];
  run: (args: object, caller: Caller) => Promise<Result>;
}

/** The same with the types of its own arguments, which yargs infers from the options. */
export const defineCommand = <T extends object>(command: {
  usage: string;
  summary: string;
  options: (argv: Argv) => Argv<T>;
  bind?: (words: readonly string[]) => readonly string[];
  run: (args: T & { json?: boolean }, caller: Caller) => Promise<Result>;
}): Command => command as unknown as Command;

/** Options of every command. */
export const globals = {
  config: { type: 'string', requiresArg: true, describe: 'configuration file' },
  json: { type: 'boolean', describe: 'print exactly one JSON document' },
} as const;

export const firewall = {
  type: 'string',
  array: true,
  default: [] as string[],
  requiresArg: true,
  describe: 'only this firewall, or those with this tag (@dmz); repeatable',
} as const;
export const check = {
  type: 'boolean',
  default: false,
  describe: 'dry run: report what would change, change nothing',
} as const;
export const wait = {
  type: 'boolean',
  default: true,
  describe: 'wait for the proof; --no-wait returns once the request is recorded',
} as const;
export const id = 'block id, or its last characters';
export const since = {
  type: 'string',
  requiresArg: true,
  default: '24h',
  describe: 'how far back: 90m, 24h, 30d, forever',
} as const;

/** An option's span in milliseconds; null is forever. @throws FirebreakError usage */
export function parseSpan(option: string, text: string): number | null {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new FirebreakError(
    'usage',
    `${option}: expected a duration such as 90m, 24h, 30d or forever, got ${quoteBack(text)}`,
  );
}
