import yargs, { type Argv } from 'yargs';
import { readVersion } from '../config/package-root.js';
import { FirebreakError } from '../core/errors.js';
import { findNearest } from '../core/nearest.js';
import { widthOf } from '../runtime/terminal.js';
import { wrapText } from '../views/table.js';
import { globals, type Command } from './command.js';

type Loaders = Record<string, () => Promise<Command>>;

const everyDay: Loaders = {
  block: async () => (await import('./commands/block.js')).block,
  unblock: async () => (await import('./commands/unblock.js')).unblock,
  extend: async () => (await import('./commands/amend.js')).extend,
  comment: async () => (await import('./commands/amend.js')).comment,
  import: async () => (await import('./commands/import.js')).importList,
  status: async () => (await import('./commands/status.js')).status,
  log: async () => (await import('./commands/log.js')).log,
  list: async () => (await import('./commands/list.js')).list,
  show: async () => (await import('./commands/show.js')).show,
  report: async () => (await import('./commands/report.js')).report,
};
const wrong: Loaders = {
  allow: async () => (await import('./commands/allow.js')).allow,
  disallow: async () => (await import('./commands/allow.js')).disallow,
  allowed: async () => (await import('./commands/allow.js')).allowed,
  check: async () => (await import('./commands/check.js')).check,
  approve: async () => (await import('./commands/decide.js')).approve,
  reject: async () => (await import('./commands/decide.js')).reject,
  retry: async () => (await import('./commands/decide.js')).retry,
  freeze: async () => (await import('./commands/freeze.js')).freeze,
  unfreeze: async () => (await import('./commands/freeze.js')).unfreeze,
  observe: async () => (await import('./commands/observe.js')).observe,
  reconcile: async () => (await import('./commands/reconcile.js')).reconcile,
  doctor: async () => (await import('./commands/doctor.js')).doctor,
  selftest: async () => (await import('./commands/selftest.js')).selftest,
  audit: async () => (await import('./commands/audit.js')).audit,
};
const setUp: Loaders = {
  init: async () => (await import('./commands/init.js')).init,
  config: async () => (await import('./commands/config.js')).config,
  install: async () => (await import('./commands/install.js')).install,
  uninstall: async () => (await import('./commands/install.js')).uninstall,
  sensor: async () => (await import('./commands/sensor.js')).sensor,
  token: async () => (await import('./commands/token.js')).token,
  user: async () => (await import('./commands/user.js')).user,
};
const byPrograms: Loaders = {
  gateway: async () => (await import('./commands/gateway.js')).gateway,
  expire: async () => (await import('./commands/drain.js')).expire,
  drain: async () => (await import('./commands/drain.js')).drain,
  run: async () => (await import('./commands/run.js')).run,
  serve: async () => (await import('./commands/serve.js')).serve,
};

/** Every command by the occasion to use it, in the order of the help; each is loaded when it is called. */
export const groups: readonly { title: string; example: string; commands: Loaders }[] = [
  { title: 'Every day', example: 'firebreak block 203.0.113.7 192.168.1.10 22 --for 7d', commands: everyDay },
  { title: 'When something is wrong', example: 'firebreak doctor', commands: wrong },
  { title: 'Set-up', example: 'firebreak init', commands: setUp },
  { title: 'Run by sshd and timers', example: 'firebreak expire', commands: byPrograms },
];

export const commands: Loaders = Object.assign({}, ...groups.map((group) => group.commands)) as Loaders;

/**
 * sshd passes a login shell `-c COMMAND` as its last arguments. Whatever a caller sends is the command, even `--help`
 * or `--config=…`, and never one of our own options.
 */
export const bindCommand = (argv: readonly string[]): readonly string[] =>
  argv[0] === 'gateway' && argv.at(-2) === '-c' ? [...argv.slice(0, -2), `-c=${argv.at(-1)}`] : argv;

/** The command that the arguments name. */
const findName = (argv: readonly string[]): string | undefined =>
  argv.find((argument) => Object.hasOwn(commands, argument));

/** The help of all commands, if the arguments ask for it: each under its occasion, in one line where there is room. */
export async function findHelp(argv: readonly string[], width = widthOf()): Promise<string | undefined> {
  if (!argv.includes('--help') || findName(argv) !== undefined) return undefined;
  const parts = groups.map(async ({ title, example, commands: loaders }) => {
    const lines = Object.entries(loaders).map(async ([name, loader]) => {
      const [first = '', ...more] = wrapText((await loader()).summary, width - indent);
      return [`  ${name.padEnd(indent - 2)}${first}`, ...more.map((line) => ' '.repeat(indent) + line)].join('\n');
    });
    return [`${title}, for example: ${example}`, ...(await Promise.all(lines))].join('\n');
  });
  return [
    'firebreak COMMAND [--help]\n\nTurns a SIEM alarm into a proven firewall block, through Ansible.',
    ...(await Promise.all(parts)),
    'With every command: --config FILE, --json (print exactly one JSON document), --help.',
  ].join('\n\n');
}

/** The column of the summaries. */
const indent = 14;

/** A parser for these arguments that calls `run` with the command they name; errors are `usage`. */
export async function makeParser(
  argv: readonly string[],
  run: (command: Command, args: object) => void,
): Promise<Argv> {
  const name = findName(argv);
  const loaders = Object.entries(commands).filter(([each]) => name === undefined || each === name);
  const loaded = await Promise.all(loaders.map(([, loader]) => loader()));
  const words = name === undefined ? argv : bindWords(argv, name, loaded[0]);
  const parser = loaded
    .reduce<Argv>((parser, command) => {
      const handle = (args: object): void => run(command, args);
      return parser.command(command.usage, command.summary, command.options, handle);
    }, yargs(words).scriptName('firebreak').options(globals))
    .parserConfiguration({ 'parse-numbers': false, 'parse-positional-numbers': false, 'camel-case-expansion': false })
    .demandCommand(1, 'no command given: run firebreak block, unblock, list, …')
    .strict()
    .version(readVersion())
    .help()
    .wrap(Math.min(100, widthOf()))
    .exitProcess(false);
  // Yargs would lay out the whole help at every call, in case it is needed after the command.
  (parser as WithInternals).getInternalMethods().getUsageInstance().cacheHelpMessage = () => undefined;
  return parser.fail((message, error) => {
    const thrown = error as Error | null | undefined; // a YError, or none if yargs itself reports it
    if (thrown && thrown.name !== 'YError') throw thrown;
    const text = message || (thrown?.message ?? '');
    const options = Object.keys((parser as WithInternals).getOptions().key);
    throw new FirebreakError('usage', `${text}${suggest(text, argv, options)}; see firebreak --help`);
  });
}

function bindWords(argv: readonly string[], name: string, command: Command | undefined): readonly string[] {
  const behind = argv.indexOf(name) + 1;
  return [...argv.slice(0, behind), ...(command?.bind?.(argv.slice(behind)) ?? argv.slice(behind))];
}

/** Yargs has these functions; its types do not. */
type WithInternals = Argv & {
  getOptions: () => { key: Record<string, unknown> };
  getInternalMethods: () => { getUsageInstance: () => { cacheHelpMessage: () => void } };
};

/** `; did you mean list?`, if an unknown command or option is close to a known one. */
function suggest(message: string, argv: readonly string[], options: readonly string[]): string {
  const [, unknown = ''] = /^Unknown (?:argument|command)s?: ([^,]+)/.exec(message) ?? [];
  const isOption = argv.some((word) => /^--?[^-]/.test(word) && word.replace(/^-+/, '').split('=')[0] === unknown);
  const found = findNearest(unknown, isOption ? options : Object.keys(commands));
  const near = found === undefined || unknown === '' ? undefined : `${isOption ? '--' : ''}${found}`;
  return near === undefined ? '' : `; did you mean ${near}?`;
}
