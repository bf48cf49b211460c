import { FirebreakError } from '../core/errors.js';
import type { AlarmWords } from './alarm.js';

/** What yargs hands over for `block`: every word still a string, or a list where it was given twice. */
export type BlockArguments = Partial<Record<Position | OptionName, string | string[]>> & {
  description?: string[] | string;
};

type Position = 'source' | 'destination' | 'port' | 'interface' | 'type' | 'ipproto';
const optionOf = {
  source: 'src-ip',
  destination: 'dst-ip',
  port: 'dst-port',
} as const;
type OptionName = 'src-ip' | 'dst-ip' | 'dst-port' | 'protocol' | 'for' | (typeof contextOptions)[number];

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
      `${missing.join(' and ')} missing: firebreak block SOURCE DESTINATION PORT [INTERFACE [TYPE [IPPROTO [DESCRIPTION...]]]]`,
    );
  }
  const context: Record<string, string> = {};
  for (const name of contextOptions) {
    const value = single(argv, name);
    if (value !== undefined && value !== '') context[name] = value;
  }
  const description = [argv.description ?? []].flat().join(' ');
  return {
    source: either(argv, 'source', 'src-ip') ?? '',
    destination: either(argv, 'destination', 'dst-ip') ?? '',
    port: either(argv, 'port', 'dst-port') ?? '',
    interface: single(argv, 'interface'),
    type: single(argv, 'type'),
    ipproto: single(argv, 'ipproto'),
    protocol: single(argv, 'protocol'),
    description: description === '' ? undefined : description,
    duration: single(argv, 'for'),
    context,
  };
}

function either(argv: BlockArguments, position: keyof BlockArguments, option: OptionName): string | undefined {
  const [first, second] = [single(argv, position), single(argv, option)];
  if (first !== undefined && second !== undefined) {
    throw new FirebreakError(
      'usage',
      `${position} is said twice: as a word ("${first}") and as --${option} ("${second}")`,
    );
  }
  return first ?? second;
}

function single(argv: BlockArguments, name: keyof BlockArguments): string | undefined {
  const value = argv[name];
  if (Array.isArray(value)) throw new FirebreakError('usage', `--${name} is given ${value.length} times: give it once`);
  return value;
}
