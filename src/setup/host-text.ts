import type { InstallPlan, PlannedFile, UninstallPlan } from './host-plan.js';

const standings = { missing: 'new', ours: 'anew', same: 'there already', foreign: 'in the way' } as const;

/** What an install would do, every file with all its lines. */
export function showInstall({ files, addAccount, account, folders, links, commands, remarks }: InstallPlan): string {
  return [
    ...files.map(showFile),
    ...listed(`the account ${account}`, addAccount === null ? [] : [addAccount.join(' ')]),
    ...listed(`folders of ${account}, mode 0700, where they are missing`, folders),
    ...listed(
      'links, so that systemd starts the timers',
      links.map(({ path, target }) => `${path} -> ${target}`),
    ),
    ...listed('then', commands.map(toLine)),
    ...listed('mind', remarks),
  ].join('\n\n');
}

export function showUninstall({ files, links, removeAccount, before, commands, remarks }: UninstallPlan): string {
  const calls = [...before, ...(removeAccount === null ? [] : [removeAccount]), ...commands];
  return [
    ...listed('take out', [...links, ...files]),
    ...listed('call', calls.map(toLine)),
    ...listed('mind', remarks),
  ].join('\n\n');
}

const showFile = ({ path, mode, text, standing }: PlannedFile): string =>
  [
    `${path} (${mode.toString(8).padStart(4, '0')}, ${standings[standing]})`,
    ...text
      .trimEnd()
      .split('\n')
      .map((line) => `  | ${line}`.trimEnd()),
  ].join('\n');

const toLine = (words: readonly string[]): string => words.join(' ');

const listed = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [[title, ...lines.map((line) => `  ${line}`)].join('\n')];
