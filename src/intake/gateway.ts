import { FirebreakError, quoteBack } from '../core/errors.js';
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

const options = new Set([...alarmFields.map(({ option }) => option), 'firewall']);

const flags = new Set(['check', 'no-wait', 'json']);

/**
 * Parses the command that a caller sent over SSH. The grammar is ours, and much smaller than a shell's:
 *
 *   command   caller alarm
 *   caller    [PATH/]firebreak block | [[PATH/]sh|bash|dash] PATH.sh
 *   alarm     words, --option=value, --option value, --check, --no-wait, --json, in any order
 *   word      letters as they are, 'single' or "double" quotes around anything; nothing is ever expanded
 *
 * @throws FirebreakError gateway_refused
 */
export function parseGatewayCommand(text: string): GatewayRequest {
  return readAlarm(stripCaller(splitWords(text)));
}

/** @throws FirebreakError gateway_refused for any shell syntax */
export function splitWords(text: string): string[] {
  if (text.trim() === '') throw refuse('no command was given: only alarms are accepted, not a shell');
  if (text.length > limits.characters) {
    throw refuse(`the command has ${text.length} characters: at most ${limits.characters} are accepted`);
  }
  // eslint-disable-next-line no-control-regex -- they are what is matched
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(text)) throw refuse('control characters and line ends are not allowed');
  const words = text.matchAll(/[ \t]+|((?:[^ \t'"]+|'[^']*'|"[^"]*")+)|(.)/g);
  const found: string[] = [];
  for (const [, word, rest] of words) {
    if (rest !== undefined) throw refuse('a quote is not closed');
    if (word !== undefined) found.push(unquote(word));
  }
  if (found.length > limits.words) throw refuse(`${found.length} words: at most ${limits.words} are accepted`);
  return found;
}

function unquote(word: string): string {
  return word.replace(/'([^']*)'|"([^"]*)"|([^'"]+)/g, (_, ...[single, double, bare]: (string | undefined)[]) => {
    const special = bare === undefined ? null : /[;|&<>()$`\\*?[\]{}~#!^]/.exec(bare);
    if (special !== null) throw refuse(`${quoteBack(special[0])} is shell syntax, which is not supported`);
    return single ?? double ?? bare ?? '';
  });
}

/** Drops what precedes the alarm: our own name, or that of a launcher script. */
function stripCaller(words: readonly string[]): readonly string[] {
  const [first = '', second = ''] = words;
  if (/^(?:\/?(?:[\w.-]+\/)*)firebreak$/.test(first) && second === 'block') return words.slice(2);
  const script = /^\/?(?:[\w.-]+\/)*[\w.-]+\.sh$/;
  if (script.test(first)) return words.slice(1);
  if (/^(?:\/(?:usr\/)?bin\/)?(?:sh|bash|dash)$/.test(first) && script.test(second)) return words.slice(2);
  throw refuse(`${quoteBack(words.join(' '))} is not an alarm: expected firebreak block SOURCE DESTINATION PORT …`);
}

function readAlarm(words: readonly string[]): GatewayRequest {
  const values = new Map<string, string[]>();
  const given = new Set<string>();
  const bare: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (!word.startsWith('-')) {
      bare.push(word);
      continue;
    }
    const [, name = '', sign, value = ''] = /^--([a-z-]+)(?:(=)(.*))?$/s.exec(word) ?? [];
    if (flags.has(name) && sign === undefined) given.add(name);
    else if (!options.has(name)) {
      // The description may hold anything, and an alarm must not be lost for it.
      if (bare.length < positionalFields.length - 1) throw refuse(`unknown option ${quoteBack(word)}`);
      bare.push(word);
    } else if (sign === '=') add(values, name, value);
    else {
      index += 1;
      const next = words[index];
      if (next === undefined) throw refuse(`--${name} has no value`);
      add(values, name, next);
    }
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

function add(values: Map<string, string[]>, name: string, value: string): void {
  values.set(name, [...(values.get(name) ?? []), value]);
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
