import type { InstallPlan, PlannedFile, PlannedFolder, UninstallPlan } from './host-plan.js';

const standings = { missing: 'new', ours: 'anew', same: 'there already', foreign: 'in the way' } as const;

/** What an install would do, every file with all its lines. */
export function showInstall(plan: InstallPlan): string {
  const { files, former, accounts, folders, gives, keys, links, commands, remarks } = plan;
  return [
    ...files.map(showFile),
    ...listed('taken out, an earlier release wrote it', former),
    ...listed('the accounts', accounts.map(toLine)),
    ...listed('folders, where they are missing', folders.map(showFolder)),
    ...listed(
      'what is theirs goes over',
      gives.map(({ path, from, account, group }) => `${path}: from ${from} to ${account ?? 'root'}:${group ?? 'root'}`),
    ),
    ...listed('keys that may log in', keys === null ? [] : [`${keys.from} -> ${keys.to}`]),
    ...listed(
      'links, so that systemd starts the timers',
      links.map(({ path, target }) => `${path} -> ${target}`),
    ),
    ...listed('then', commands.map(toLine)),
    ...listed('mind', remarks),
  ].join('\n\n');
}

const showFolder = ({ path, account, group, mode }: PlannedFolder): string =>
  `${path} (${mode.toString(8).padStart(4, '0')}, ${account ?? 'root'}:${group ?? 'root'})`;

export function showUninstall({ files, links, removeAccounts, before, commands, remarks }: UninstallPlan): string {
  const calls = [...before, ...removeAccounts, ...commands];
  return [
    ...listed('take out', [...links, ...files]),
    ...listed('call', calls.map(toLine)),
    ...listed('mind', remarks),
  ].join('\n\n');
}

const showFile = ({ path, mode, text, state }: PlannedFile): string =>
  [
    `${path} (${mode.toString(8).padStart(4, '0')}, ${standings[state]})`,
    ...text
      .trimEnd()
      .split('\n')
      .map((line) => `  | ${line}`.trimEnd()),
  ].join('\n');

const toLine = (words: readonly string[]): string => words.join(' ');

const listed = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [[title, ...lines.map((line) => `  ${line}`)].join('\n')];
