import { FirebreakError, quoteBack } from '../core/errors.js';
import { readAlarmWords, type Grammar } from './alarm-words.js';
import type { BlockArguments } from './argv.js';
import { alarmFields, positionalFields } from './fields.js';

/** What a caller over SSH may request: one alarm, in the syntax of `firebreak block`. */
export interface GatewayRequest {
  argv: BlockArguments;
  firewalls: string[];
  check: boolean;
  wait: boolean;
  json: boolean;
}

/** An alarm is about 300 characters long, but its description may hold a whole log line. */
const limits = { characters: 16_384, words: 4096 } as const;

const grammar: Grammar = {
  options: new Set([...alarmFields.map(({ option }) => option), 'firewall']),
  isFlag: (word) => ['--check', '--no-wait', '--json'].includes(word),
};

/** A word that a caller sent, and what is wrong with it unless it is part of a description. */
export interface SentWord {
  text: string;
  problem?: string;
}

/**
 * Parses the command that a caller sent over SSH. The grammar is ours, and much smaller than a shell's:
 *
 *   command   caller alarm
 *   caller    [PATH/]firebreak block | [[PATH/]sh|bash|dash] PATH.sh
 *   alarm     words, --option=value, --option value, --check, --no-wait, --json, in any order; -- ends the options
 *   word      letters as they are, 'single' or "double" quotes around anything; nothing is ever expanded
 *
 * A description may hold anything: it is cleaned later.
 *
 * @throws FirebreakError gateway_refused
 */
export function parseGatewayCommand(text: string): GatewayRequest {
  return readAlarm(stripCaller(splitWords(text)));
}

/** @throws FirebreakError gateway_refused if there are none, or too many */
export function splitWords(text: string): SentWord[] {
  if (text.trim() === '') throw refuse('no command was given: only alarms are accepted, not a shell');
  if (text.length > limits.characters) {
    throw refuse(`the command has ${text.length} characters: at most ${limits.characters} are accepted`);
  }
  const words = text.matchAll(/[ \t]+|((?:[^ \t'"]+|'[^']*'|"[^"]*")+)|(.)/g);
  const found: SentWord[] = [];
  for (const [, word, rest] of words) {
    if (rest !== undefined) found.push({ text: rest, problem: 'a quote is not closed' });
    if (word !== undefined) found.push(unquote(word));
  }
  if (found.length > limits.words) throw refuse(`${found.length} words: at most ${limits.words} are accepted`);
  return found;
}

const special = /[;|&<>()$`\\*?[\]{}~#!^]/;
// eslint-disable-next-line no-control-regex -- they are what is matched
const control = /[\x00-\x08\x0a-\x1f\x7f]/;

function unquote(word: string): SentWord {
  const text = word.replace(
    /'([^']*)'|"([^"]*)"/g,
    (_, ...[single, double]: (string | undefined)[]) => single ?? double ?? '',
  );
  if (control.test(word)) return { text, problem: 'control characters and line ends are not allowed' };
  const [found] = special.exec(word.replace(/'[^']*'|"[^"]*"/g, '')) ?? [];
  if (found === undefined) return { text };
  return { text, problem: `${quoteBack(found)} is shell syntax, which is not supported` };
}

/** Drops what precedes the alarm: our own name, or that of a launcher script. */
function stripCaller(words: readonly SentWord[]): readonly SentWord[] {
  const [first = '', second = ''] = words.map(({ text }) => text);
  if (/^(?:\/?(?:[\w.-]+\/)*)firebreak$/.test(first) && second === 'block') return words.slice(2);
  const script = /^\/?(?:[\w.-]+\/)*[\w.-]+\.sh$/;
  if (script.test(first)) return words.slice(1);
  if (/^(?:\/(?:usr\/)?bin\/)?(?:sh|bash|dash)$/.test(first) && script.test(second)) return words.slice(2);
  const sent = words.map(({ text }) => text).join(' ');
  throw refuse(`${quoteBack(sent)} is not an alarm: expected firebreak block SOURCE DESTINATION PORT …`);
}

function readAlarm(words: readonly SentWord[]): GatewayRequest {
  const values = new Map<string, string[]>();
  const given = new Set<string>();
  const bare: string[] = [];
  const parts = readAlarmWords(
    words.map(({ text }) => text),
    grammar,
  );
  for (const part of parts) {
    const isDescription = part.kind === 'description' || (part.kind === 'option' && part.name === 'description');
    const odd = words.slice(part.at, part.at + part.words.length).find(({ problem }) => problem !== undefined);
    if (odd?.problem !== undefined && !isDescription) throw refuse(odd.problem);
    if (part.kind === 'wrong') throw refuse(part.problem);
    if (part.kind === 'option') values.set(part.name, [...(values.get(part.name) ?? []), part.value]);
    if (part.kind === 'flag') given.add(part.name);
    if (part.kind === 'position' || part.kind === 'description') bare.push(part.text);
  }
  return {
    argv: toArguments(values, bare),
    firewalls: values.get('firewall') ?? [],
    check: given.has('check'),
    wait: !given.has('no-wait'),
    json: given.has('json'),
  };
}

/** The same shape as the result of the command line's parser. */
function toArguments(values: ReadonlyMap<string, string[]>, bare: readonly string[]): BlockArguments {
  const positions = positionalFields.map(({ position }) => position);
  const last = positions.length - 1;
  const argv: Record<string, unknown> = { [positions[last] ?? '']: bare.slice(last) };
  for (const [name, all] of values) if (name !== 'firewall') argv[name] = all.length === 1 ? all[0] : all;
  for (const [index, word] of bare.slice(0, last).entries()) argv[positions[index] ?? ''] = word;
  return argv;
}

const refuse = (message: string): FirebreakError => new FirebreakError('gateway_refused', message);

/** Variables that an SSH session needs; anything else that a caller could set is dropped. */
const allowed = new Set(['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'SSH_CLIENT', 'SSH_CONNECTION']);

/** Removes every variable from the environment that the caller may have set. @returns the caller's command */
export function scrubEnvironment(environment: NodeJS.ProcessEnv): string | undefined {
  const command = environment['SSH_ORIGINAL_COMMAND'];
  for (const name of Object.keys(environment)) if (!allowed.has(name)) Reflect.deleteProperty(environment, name);
  return command;
}
