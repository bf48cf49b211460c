import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import type { Argv, Options } from 'yargs';
import { withApp } from '../../app/context.js';
import { importList as recordList, type ImportAnswer } from '../../app/import.js';
import { describeUnreadable } from '../../core/describe.js';
import { FirebreakError } from '../../core/errors.js';
import { exitCodeOf } from '../../core/outcome.js';
import { alarmFields, type AlarmValues } from '../../intake/fields.js';
import { joinGiven } from '../../intake/argv.js';
import { listFormats, parseListFile } from '../../intake/list-file.js';
import { decodeList } from '../../intake/lists/list-decode.js';
import { countStates } from '../../views/answer.js';
import { blockToJson } from '../../views/json.js';
import { countWarnings } from '../../views/warning.js';
import { count } from '../../views/count.js';
import { defineCommand, firewall, wait } from '../command.js';

/** A long list passes through in pieces: V8 need not let its heap grow as far as usual, which takes 50 MB more. */
const smallHeap = '--semi-space-growth-factor=1 --heap-growing-percent=25';

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
  summary: 'block a list, as most programs export it; - is stdin',
  options: (argv) =>
    addDefaults(argv.positional('file', { type: 'string', demandOption: true, describe: 'the list' })).options({
      format: {
        type: 'string',
        requiresArg: true,
        describe: `read the list as this, whatever it looks like: ${listFormats.join(', ')}`,
      },
      column: { type: 'string', requiresArg: true, describe: 'column of the addresses to block' },
      'skip-bad': { type: 'boolean', default: false, describe: 'skip rows that cannot be read, and say which' },
      firewall,
      wait,
    }),
  run: async (args, caller) => {
    setFlagsFromString(smallHeap);
    const text = await readList((args as unknown as { file: string }).file);
    return withApp(caller, async (app) => {
      const { format, column } = args;
      const list = parseListFile(text, { format, column, widest: app.config.policy.widest });
      const answer = await recordList(
        list,
        {
          ...{ defaults: readDefaults(args), firewalls: args.firewall, wait: args.wait },
          ...{ skipBad: args['skip-bad'], listsBlocks: args.json ?? false },
        },
        app,
      );
      return {
        exit: exitCodeOf(answer),
        text: answerToText(answer),
        json: args.json === true ? { blocks: answer.blocks.map(blockToJson), summary: answer.summary } : {},
      };
    });
  },
});

function answerToText({ entries, blocks, summary }: ImportAnswer): string {
  const { read, known, refused, held, skipped } = summary;
  const filled = Object.entries(summary.filled).map(([name, many]) => `${name} of ${many}`);
  return [
    `${count(entries, 'entry', 'entries')}: ${countStates(blocks)}`,
    ...countWarnings(blocks),
    `read ${read}, new ${summary.new}, known ${known}, refused by policy ${refused}, held ${held}, skipped ${skipped}`,
    ...(filled.length > 0 ? [`filled in from the options: ${filled.join(', ')}`] : []),
  ].join('\n');
}

function readDefaults(args: Readonly<Record<string, unknown>>): AlarmValues {
  const given = defaults.flatMap(({ name, option, isRepeatable }) => {
    const value = isRepeatable === true ? joinGiven(args[option]) : args[option];
    return typeof value === 'string' ? [[name, value]] : [];
  });
  return Object.fromEntries(given) as AlarmValues;
}

/** @param file yargs turns "-" into an empty string */
async function readList(file: string): Promise<string> {
  const isInput = file === '' || file === '-';
  try {
    return decodeList(isInput ? await buffer(process.stdin) : await readFile(file));
  } catch (error) {
    if (error instanceof FirebreakError) throw error;
    throw new FirebreakError('list_invalid', describeUnreadable(isInput ? 'stdin' : file, error), { cause: error });
  }
}
