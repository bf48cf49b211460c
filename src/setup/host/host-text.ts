import type { InstallPlan, PlannedFile, PlannedFolder, UninstallPlan } from './host-plan.js';

const stateTexts = { missing: 'new', ours: 'updated', same: 'unchanged', foreign: 'conflict' } as const;

/** Describes what an install would do, with the full text of every file. */
export function showInstall(plan: InstallPlan): string {
  const { files, former, accounts, folders, gives, returns, keys, links, commands, remarks } = plan;
  return [
    ...files.map(showFile),
    ...listed('removed (written by an earlier release)', former),
    ...listed('accounts', accounts.map(toLine)),
    ...listed('folders, if missing', folders.map(showFolder)),
    ...listed(
      'change of owner',
      gives.map(({ path, from, account, group }) => `${path}: from ${from} to ${account ?? 'root'}:${group ?? 'root'}`),
    ),
    ...listed(
      'given back (an earlier uninstall handed them to root)',
      returns.map(({ path, account, group }) => `${path}: to ${account ?? 'root'}:${group}`),
    ),
    ...listed('keys that may log in', keys === null ? [] : [`${keys.from} -> ${keys.to}`]),
    ...listed(
      'links that enable the timers',
      links.map(({ path, target }) => `${path} -> ${target}`),
    ),
    ...listed('commands to run', commands.map(toLine)),
    ...listed('notes', remarks),
  ].join('\n\n');
}

const showFolder = ({ path, account, group, mode }: PlannedFolder): string =>
  `${path} (${mode.toString(8).padStart(4, '0')}, ${account ?? 'root'}:${group ?? 'root'})`;

export function showUninstall({ files, links, removeAccounts, before, commands, remarks }: UninstallPlan): string {
  const calls = [...before, ...removeAccounts, ...commands];
  return [
    ...listed('remove', [...links, ...files]),
    ...listed('commands to run', calls.map(toLine)),
    ...listed('notes', remarks),
  ].join('\n\n');
}

const showFile = ({ path, mode, text, state }: PlannedFile): string =>
  [
    `${path} (${mode.toString(8).padStart(4, '0')}, ${stateTexts[state]})`,
    ...text
      .trimEnd()
      .split('\n')
      .map((line) => `  | ${line}`.trimEnd()),
  ].join('\n');

const toLine = (command: readonly string[]): string => command.join(' ');

const listed = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [[title, ...lines.map((line) => `  ${line}`)].join('\n')];
