import { FirebreakError, quoteBack } from '../core/errors.js';
import type { AlarmRequest } from './alarm.js';
import { alarmFields, positionalFields, toAlarmRequest, type AlarmField, type Position } from './fields.js';

/**
 * What a parser hands over for `block`, by position and option: every word still a string, or a list where it was given
 * twice, and for DESCRIPTION.
 */
export type BlockArguments = Readonly<Record<string, unknown>>;

const mandatory: readonly Position[] = ['SOURCE', 'DESTINATION', 'PORT'];

/**
 * Joins positions and options into one request.
 * @throws FirebreakError usage, where a word is missing or is given in two ways that disagree
 */
export function readBlockArguments(argv: BlockArguments): AlarmRequest {
  const missing = positionalFields.filter(
    ({ position, option }) =>
      mandatory.includes(position) && argv[position] === undefined && argv[option] === undefined,
  );
  if (missing.length > 0) {
    throw new FirebreakError(
      'usage',
      `${joinWords(missing.map(({ name }) => name))} missing: firebreak block SOURCE DESTINATION PORT [INTERFACE [TYPE [IPPROTO [DESCRIPTION...]]]]`,
    );
  }
  return toAlarmRequest(Object.fromEntries(alarmFields.map((field) => [field.name, positionOrOption(argv, field)])));
}

function joinWords(words: readonly string[]): string {
  const [last = '', ...others] = [...words].reverse();
  return others.length === 0 ? `${last} is` : `${others.reverse().join(', ')} and ${last} are`;
}

function positionOrOption(argv: BlockArguments, { name, position, option }: AlarmField): string | undefined {
  const word = position === undefined ? undefined : readPosition(argv[position]);
  const value = atMostOnce(argv, option);
  if (word === undefined || value === undefined || word === value) return word ?? value;
  throw new FirebreakError(
    'usage',
    `${name} is said twice: as a word (${quoteBack(word)}) and as --${option} (${quoteBack(value)}): say it once`,
  );
}

/** The last position takes all words that are left. */
const readPosition = (value: unknown): string | undefined =>
  Array.isArray(value) ? value.join(' ') || undefined : typeof value === 'string' ? value : undefined;

function atMostOnce(argv: BlockArguments, option: string): string | undefined {
  const value = argv[option];
  if (Array.isArray(value))
    throw new FirebreakError('usage', `--${option} is given ${value.length} times: give it once`);
  return typeof value === 'string' ? value : undefined;
}
