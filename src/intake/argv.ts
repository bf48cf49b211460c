import { FirebreakError, quoteBack } from '../core/errors.js';
import type { AlarmWords } from './alarm.js';

/** What yargs hands over for `block`: every word still a string, or a list where it was given twice. */
export type BlockArguments = Partial<Record<Position | OptionName, string | string[]>> & {
  /** The description's words where it came as positions. */
  words?: string[];
};

type Position = 'source' | 'destination' | 'port' | 'interface' | 'type' | 'ipproto';
const optionOf = {
  source: 'src-ip',
  destination: 'dst-ip',
  port: 'dst-port',
} as const;
type OptionName =
  'src-ip' | 'dst-ip' | 'dst-port' | 'description' | 'protocol' | 'for' | (typeof contextOptions)[number];

const contextOptions = ['event-id', 'backlog-id', 'plugin-id', 'plugin-sid', 'risk', 'sensor'] as const;

/**
 * Joins positions and options into one set of words.
 * @throws FirebreakError usage, where a word is missing or said twice
 */
export function readBlockArguments(argv: BlockArguments): AlarmWords {
  const missing = (['source', 'destination', 'port'] as const).filter(
    (name) => argv[name] === undefined && argv[optionOf[name]] === undefined,
  );
  if (missing.length > 0) {
    throw new FirebreakError(
      'usage',
      `${joinWords(missing)} missing: firebreak block SOURCE DESTINATION PORT [INTERFACE [TYPE [IPPROTO [DESCRIPTION...]]]]`,
    );
  }
  const context: Record<string, string> = {};
  for (const name of contextOptions) {
    const value = single(argv, name);
    if (value !== undefined && value !== '') context[name] = value;
  }
  const description = once(
    'description',
    argv.words?.join(' ') || undefined,
    single(argv, 'description'),
    'description',
  );
  return {
    source: either(argv, 'source') ?? '',
    destination: either(argv, 'destination') ?? '',
    port: either(argv, 'port') ?? '',
    interface: single(argv, 'interface'),
    type: single(argv, 'type'),
    ipproto: single(argv, 'ipproto'),
    protocol: single(argv, 'protocol'),
    description: description || undefined,
    duration: single(argv, 'for'),
    context,
  };
}

function joinWords(words: readonly string[]): string {
  const [last = '', ...others] = [...words].reverse();
  return others.length === 0 ? `${last} is` : `${others.reverse().join(', ')} and ${last} are`;
}

const either = (argv: BlockArguments, name: keyof typeof optionOf): string | undefined =>
  once(name, single(argv, name), single(argv, optionOf[name]), optionOf[name]);

function once(name: string, word: string | undefined, value: string | undefined, option: OptionName) {
  if (word !== undefined && value !== undefined) {
    throw new FirebreakError(
      'usage',
      `${name} is said twice: as a word (${quoteBack(word)}) and as --${option} (${quoteBack(value)})`,
    );
  }
  return word ?? value;
}

function single(argv: BlockArguments, name: Position | OptionName): string | undefined {
  const value = argv[name];
  if (Array.isArray(value)) throw new FirebreakError('usage', `--${name} is given ${value.length} times: give it once`);
  return value;
}
