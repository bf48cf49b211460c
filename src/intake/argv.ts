import { parseAddress } from '../core/address.js';
import { FirebreakError, quoteBack } from '../core/errors.js';
import type { AlarmRequest } from './alarm.js';
import { readAlarmWords, type Grammar } from './alarm-words.js';
import { alarmFields, positionalFields, toAlarmRequest, type AlarmField, type Position } from './fields.js';

/**
 * A parser's result for `block`, by position and option: every value still a string, or a list if it was given
 * twice, and for DESCRIPTION.
 */
export type BlockArguments = Readonly<Record<string, unknown>>;

const mandatory: readonly Position[] = ['SOURCE', 'DESTINATION', 'PORT'];

/**
 * Joins positions and options into one request.
 * @throws FirebreakError usage if a value is missing, or position and option differ
 */
export function readBlockArguments(argv: BlockArguments): AlarmRequest {
  checkPositions(argv);
  const missing = positionalFields.filter(
    ({ position, option }) =>
      mandatory.includes(position) && argv[position] === undefined && argv[option] === undefined,
  );
  if (missing.length > 0) {
    throw new FirebreakError('usage', `${joinNames(missing.map(({ name }) => name))} missing: ${exampleOf(argv)}`);
  }
  return toAlarmRequest(Object.fromEntries(alarmFields.map((field) => [field.name, positionOrOption(argv, field)])));
}

/**
 * The same arguments for a parser that takes every word with "-" for an option: a description with such a word becomes
 * one `--description`.
 */
export function bindDescription(words: readonly string[], grammar: Grammar): readonly string[] {
  const parts = readAlarmWords(words, grammar);
  const description = parts.flatMap((part) => (part.kind === 'description' ? [part.text] : []));
  if (!description.some((word) => word.startsWith('-'))) return words;
  const others = parts.filter(({ kind }) => kind !== 'description').flatMap((part) => part.words);
  return [`--description=${description.join(' ')}`, ...others];
}

/** One request for each source, if --src-ip is given several times. */
export function splitSources(argv: BlockArguments): BlockArguments[] {
  const sources = argv['src-ip'];
  return Array.isArray(sources)
    ? [...new Set(sources)].map((source) => ({ ...argv, 'src-ip': source as unknown }))
    : [argv];
}

/** A third address is more likely another source than a port. @throws FirebreakError usage */
function checkPositions({ SOURCE, DESTINATION, PORT }: BlockArguments): void {
  if (typeof PORT === 'string' && parseAddress(PORT).ok) {
    throw new FirebreakError(
      'usage',
      `expected a port, got the address ${quoteBack(PORT)}; to block several sources, run firebreak block --src-ip ${String(SOURCE)} --src-ip ${String(DESTINATION)} --dst-ip DESTINATION --dst-port PORT`,
    );
  }
}

/** The usage; for a source alone, what blocks one flow of it. */
function exampleOf({ SOURCE, DESTINATION }: BlockArguments): string {
  return typeof SOURCE === 'string' && DESTINATION === undefined && parseAddress(SOURCE).ok
    ? `to block one flow of it, run firebreak block ${SOURCE} DESTINATION PORT`
    : 'firebreak block SOURCE DESTINATION PORT [INTERFACE [TYPE [IPPROTO [DESCRIPTION...]]]]';
}

function joinNames(names: readonly string[]): string {
  const [last = '', ...others] = [...names].reverse();
  return others.length === 0 ? `${last} is` : `${others.reverse().join(', ')} and ${last} are`;
}

function positionOrOption(
  argv: BlockArguments,
  { name, position, option, isRepeatable }: AlarmField,
): string | undefined {
  const argument = position === undefined ? undefined : readPosition(argv[position]);
  if (isRepeatable === true) return joinGiven(argv[option]);
  const value = atMostOnce(argv, option);
  if (argument === undefined || value === undefined || argument === value) return argument ?? value;
  throw new FirebreakError(
    'usage',
    `${name} is given twice: as an argument (${quoteBack(argument)}) and as --${option} (${quoteBack(value)}); give it once`,
  );
}

/** The last position takes all remaining arguments. */
const readPosition = (value: unknown): string | undefined =>
  Array.isArray(value) ? value.join(' ') || undefined : typeof value === 'string' ? value : undefined;

/** All values of an option that can be given several times. */
export const joinGiven = (value: unknown): string | undefined =>
  Array.isArray(value) ? value.join(' ') : typeof value === 'string' ? value : undefined;

function atMostOnce(argv: BlockArguments, option: string): string | undefined {
  const value = argv[option];
  if (Array.isArray(value))
    throw new FirebreakError('usage', `--${option} is given ${value.length} times: give it once`);
  return typeof value === 'string' ? value : undefined;
}
