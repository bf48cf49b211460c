import { readFileSync } from 'node:fs';
import type { Argv, Options } from 'yargs';
import { withApp } from '../../app/context.js';
import { importList as recordList } from '../../app/import.js';
import { describeUnreadable } from '../../core/describe.js';
import { FirebreakError } from '../../core/errors.js';
import { exitCodeOf } from '../../core/outcome.js';
import { alarmFields, type AlarmValues } from '../../intake/fields.js';
import { parseListFile } from '../../intake/list-file.js';
import { countStates } from '../../views/answer.js';
import { blockToJson } from '../../views/json.js';
import { defineCommand, firewall, wait } from '../command.js';

const defaults = alarmFields.filter(({ isListDefault }) => isListDefault === true);

const addDefaults = (argv: Argv): Argv =>
  argv.options(
    Object.fromEntries(
      defaults.map(({ name, option }): [string, Options] => [
        option,
        { type: 'string', requiresArg: true, describe: `${name} for entries that have none` },
      ]),
    ),
  );

export const importList = defineCommand({
  usage: 'import <file>',
  summary: 'block a list: CSV, JSON, or one address per line; - is stdin',
  options: (argv) =>
    addDefaults(argv.positional('file', { type: 'string', demandOption: true, describe: 'the list' })).options({
      firewall,
      wait,
    }),
  run: (args, caller) => {
    const entries = parseListFile(readList((args as unknown as { file: string }).file));
    const options = { defaults: readDefaults(args), firewalls: args.firewall, wait: args.wait };
    return withApp(caller, async (app) => {
      const answer = await recordList(entries, options, app);
      return {
        exit: exitCodeOf(answer),
        text: `${entries.length} entries: ${countStates(answer.blocks)}`,
        json: { blocks: answer.blocks.map(blockToJson) },
      };
    });
  },
});

function readDefaults(args: Readonly<Record<string, unknown>>): AlarmValues {
  const given = defaults.flatMap(({ name, option }) => {
    const value = args[option];
    return typeof value === 'string' ? [[name, value]] : [];
  });
  return Object.fromEntries(given) as AlarmValues;
}

/** @param file yargs turns "-" into an empty string */
function readList(file: string): string {
  try {
    return readFileSync(file === '' || file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new FirebreakError('list_invalid', describeUnreadable(file, error), { cause: error });
  }
}
