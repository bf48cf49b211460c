import { FirebreakError, quoteBack } from '../core/errors.js';
import type { AlarmWords } from './alarm.js';

/** The alarm's words by their position, and the option that says the same. */
const optionOf = {
  SOURCE: 'src-ip',
  DESTINATION: 'dst-ip',
  PORT: 'dst-port',
  INTERFACE: 'interface',
  TYPE: 'type',
  IPPROTO: 'ipproto',
  DESCRIPTION: 'description',
} as const;
const contextOptions = ['event-id', 'backlog-id', 'plugin-id', 'plugin-sid', 'risk', 'sensor'] as const;

type Position = keyof typeof optionOf;
type OptionName = (typeof optionOf)[Position] | 'protocol' | 'for' | (typeof contextOptions)[number];

/** What a parser hands over for `block`: every word still a string, or a list where it was given twice. */
export type BlockArguments = Partial<Record<Exclude<Position, 'DESCRIPTION'>, string>> &
  Partial<Record<OptionName, string | string[]>> & {
    /** The words from the seventh position on. */
    DESCRIPTION?: string[];
  };

/** The positions before the description, in their order. */
export const positions = ['SOURCE', 'DESTINATION', 'PORT', 'INTERFACE', 'TYPE', 'IPPROTO'] as const;

/**
 * Joins positions and options into one set of words.
 * @throws FirebreakError usage, where a word is missing or is said in two ways that disagree
 */
export function readBlockArguments(argv: BlockArguments): AlarmWords {
  const missing = (['SOURCE', 'DESTINATION', 'PORT'] as const).filter(
    (name) => argv[name] === undefined && argv[optionOf[name]] === undefined,
  );
  if (missing.length > 0) {
    throw new FirebreakError(
      'usage',
      `${joinWords(missing.map((name) => name.toLowerCase()))} missing: firebreak block SOURCE DESTINATION PORT [INTERFACE [TYPE [IPPROTO [DESCRIPTION...]]]]`,
    );
  }
  const context: Record<string, string> = {};
  for (const name of contextOptions) {
    const value = single(argv, name);
    if (value !== undefined && value !== '') context[name] = value;
  }
  return {
    source: either(argv, 'SOURCE') ?? '',
    destination: either(argv, 'DESTINATION') ?? '',
    port: either(argv, 'PORT') ?? '',
    interface: either(argv, 'INTERFACE'),
    type: either(argv, 'TYPE'),
    ipproto: either(argv, 'IPPROTO'),
    protocol: single(argv, 'protocol'),
    description: either(argv, 'DESCRIPTION') || undefined,
    duration: single(argv, 'for'),
    context,
  };
}

function joinWords(words: readonly string[]): string {
  const [last = '', ...others] = [...words].reverse();
  return others.length === 0 ? `${last} is` : `${others.reverse().join(', ')} and ${last} are`;
}

function either(argv: BlockArguments, name: Position): string | undefined {
  const word = name === 'DESCRIPTION' ? argv.DESCRIPTION?.join(' ') || undefined : argv[name];
  const value = single(argv, optionOf[name]);
  if (word === undefined || value === undefined || word === value) return word ?? value;
  throw new FirebreakError(
    'usage',
    `${name.toLowerCase()} is said twice: as a word (${quoteBack(word)}) and as --${optionOf[name]} (${quoteBack(value)}): say it once`,
  );
}

function single(argv: BlockArguments, name: OptionName): string | undefined {
  const value = argv[name];
  if (Array.isArray(value)) throw new FirebreakError('usage', `--${name} is given ${value.length} times: give it once`);
  return value;
}
