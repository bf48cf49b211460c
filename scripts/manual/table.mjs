// Reads the program's own table of commands and options by passing it a stand-in for yargs.
import { blockStates } from '../../build/src/core/block.js';
import { protocols } from '../../build/src/core/flow.js';
import { globals } from '../../build/src/cli/command.js';
import { commands } from '../../build/src/cli/program.js';

/** Placeholders for the values of options whose names do not end with one. */
const placeholders = {
  c: 'COMMAND',
  config: 'FILE',
  'authorized-key': 'FILE',
  'connect-timeout': 'SECONDS',
  explain: 'KEY',
  expires: 'DURATION',
  for: 'DURATION',
  firewall: 'NAME',
  listen: 'ADDRESS',
  'mail-to': 'ADDRESS',
  'override-policy': 'REASON',
  root: 'FOLDER',
  script: 'FILE',
  spool: 'FOLDER',
  'spool-most': 'COUNT',
  timeout: 'SECONDS',
};

/** Fixed sets of values, by the name of the option or position. */
const choices = {
  state: [...blockStates, 'all'],
  protocol: protocols,
  type: ['block', 'reject'],
  ipproto: ['inet', 'inet6'],
  action: ['add', 'list', 'revoke'],
  scope: ['alarm', 'read', 'operate'],
};

const isFile = (name) => ['FILE', 'FOLDER', 'DIR'].includes(placeholderOf(name)) || ['file', 'older'].includes(name);

const placeholderOf = (name) => placeholders[name] ?? name.split('-').at(-1).toUpperCase();

function describeOption([name, { type, describe, default: value, array = false }]) {
  const isFlag = type === 'boolean';
  const shown = isFlag && value === true ? `no-${name}` : name;
  return {
    flag: shown.length === 1 ? `-${shown}` : `--${shown}`,
    describe,
    isFlag,
    isRepeatable: array,
    placeholder: isFlag ? undefined : placeholderOf(name),
    default: typeof value === 'string' ? value : undefined,
    choices: choices[name],
    isFile: !isFlag && isFile(name),
  };
}

const describePosition = ([name, { describe, demandOption = false, array = false }]) => ({
  name,
  describe,
  isRequired: demandOption,
  isMany: array,
  choices: choices[name.toLowerCase()],
  isFile: isFile(name),
});

const isShown = ([, { hidden = false }]) => !hidden;

function describeCommand([name, { usage, summary, options: define }]) {
  const positions = [];
  const options = [];
  const recorder = {
    positional: (position, settings) => (positions.push([position, settings]), recorder),
    option: (option, settings) => (options.push([option, settings]), recorder),
    options: (all) => (options.push(...Object.entries(all)), recorder),
  };
  define(recorder);
  return {
    name,
    usage,
    describe: summary,
    positions: positions.filter(isShown).map(describePosition),
    options: options.filter(isShown).map(describeOption),
  };
}

const loaded = await Promise.all(Object.entries(commands).map(async ([name, load]) => [name, await load()]));

/** All commands and the global options, without hidden ones. */
export const readTable = () => ({
  commands: loaded.map(describeCommand),
  globals: [
    ...Object.entries(globals),
    ['help', { type: 'boolean', describe: 'show help; for a command, all its options' }],
    ['version', { type: 'boolean', describe: 'print the version' }],
  ].map(describeOption),
});

/** `--src-ip IP` */
export const showOption = ({ flag, placeholder }) => (placeholder === undefined ? flag : `${flag} ${placeholder}`);
