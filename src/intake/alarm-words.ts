import { quoteBack } from '../core/errors.js';
import { positionalFields } from './fields.js';

/** What a caller may write besides an alarm's own words. */
export interface Grammar {
  /** Names of the options that take a value. */
  options: ReadonlySet<string>;
  isFlag: (word: string) => boolean;
}

/** One part of an alarm, and the words that it was made of. */
export type AlarmPart = { words: readonly string[]; at: number } & (
  | { kind: 'position'; text: string }
  | { kind: 'description'; text: string }
  | { kind: 'option'; name: string; value: string }
  | { kind: 'flag'; name: string }
  | { kind: 'end' }
  | { kind: 'wrong'; problem: string }
);

/**
 * Tells an alarm's positions from its options. `--` ends the options. A word that begins with "-" is an option or a flag
 * where the grammar has it; any other one is wrong before DESCRIPTION, and a word of it from there on, since an alarm
 * must not be lost for its description.
 */
export function readAlarmWords(words: readonly string[], grammar: Grammar): AlarmPart[] {
  const parts: AlarmPart[] = [];
  let positions = 0;
  let hasEnded = false;
  for (let at = 0; at < words.length; at += parts.at(-1)?.words.length ?? 1) {
    const isInDescription = positions >= positionalFields.length - 1;
    const [word = '', next] = words.slice(at, at + 2);
    const part: AlarmPart | undefined = hasEnded ? undefined : readOption({ word, next, at }, grammar);
    if (part === undefined || (part.kind === 'wrong' && isInDescription)) {
      parts.push({ kind: isInDescription ? 'description' : 'position', text: word, words: [word], at });
      positions += 1;
    } else {
      parts.push(part);
      hasEnded = part.kind === 'end';
    }
  }
  return parts;
}

/** Undefined for a word that is not one. */
function readOption(
  { word, next, at }: { word: string; next: string | undefined; at: number },
  { options, isFlag }: Grammar,
): AlarmPart | undefined {
  const here = { words: [word], at };
  if (!word.startsWith('-')) return undefined;
  if (word === '--') return { kind: 'end', ...here };
  if (isFlag(word)) return { kind: 'flag', name: word.slice(2), ...here };
  const [, name = '', sign, value = ''] = /^--([a-z-]+)(?:(=)(.*))?$/s.exec(word) ?? [];
  if (!options.has(name)) return { kind: 'wrong', problem: `unknown option ${quoteBack(word)}`, ...here };
  if (sign !== undefined) return { kind: 'option', name, value, ...here };
  if (next === undefined) return { kind: 'wrong', problem: `--${name} has no value`, ...here };
  return { kind: 'option', name, value: next, words: [word, next], at };
}
