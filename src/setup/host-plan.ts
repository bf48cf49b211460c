import { existsSync, lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FirebreakError } from '../core/errors.js';
import { commandToAdd, commandToRemove, isOurs, readAccounts, type Account } from './account.js';
import {
  gatewayFile,
  renderGateway,
  renderSshdSettings,
  renderUnits,
  timers,
  type HostFile,
  type HostWords,
} from './host-files.js';
import { addMark, isUnchanged } from './mark.js';

const unitFolder = '/etc/systemd/system';
const shippedTimer = 'lib/systemd/system/firebreak-expire.timer';
const home = '/var/lib/firebreak';

/** How a file that is to be written stands now: `ours` is one that we wrote once, and nobody changed. */
export type Standing = 'missing' | 'ours' | 'same' | 'foreign';

export interface PlannedFile extends HostFile {
  standing: Standing;
}

/** What a host gets, in the order in which it gets it. Paths are the host's own; `root` stands before them. */
export interface InstallPlan {
  root: string;
  files: PlannedFile[];
  /** Makes the account; null where it is there. */
  addAccount: string[] | null;
  account: string;
  /** Folders of the account, made where they are missing. */
  folders: string[];
  links: { path: string; target: string }[];
  commands: string[][];
  /** What is as it should not be, and left so. */
  remarks: string[];
}

/** What is taken out of a host again. */
export interface UninstallPlan {
  root: string;
  files: string[];
  links: string[];
  removeAccount: string[] | null;
  before: string[][];
  commands: string[][];
  remarks: string[];
}

/** @throws FirebreakError usage, where something is in the way; nothing is written here */
export function planInstall(root: string, words: HostWords): InstallPlan {
  if (existsSync(join(root, shippedTimer)) || existsSync(join(root, 'usr', shippedTimer))) {
    throw new FirebreakError('usage', 'the Debian package has set this host up already: nothing is left to install');
  }
  const hasSshdFolder = existsSync(join(root, sshdFolder));
  const files = [
    renderGateway(words, gatewayFile),
    ...(hasSshdFolder ? [renderSshdSettings(words, gatewayFile)] : []),
    ...renderUnits(words, unitFolder),
  ].map((file) => plan(root, { ...file, text: addMark(file.text) }));
  refuseForeign(files);
  const account = readAccounts(root).find(({ name }) => name === words.user);
  const links = timers.map((name) => ({ path: linkOf(name), target: `${unitFolder}/${name}` }));
  const isDone = links.every(({ path, target }) => readLink(join(root, path)) === target);
  const changed = files.filter(({ standing }) => standing !== 'same');
  return {
    root,
    files,
    account: words.user,
    addAccount: account === undefined ? commandToAdd(root, words.user, home, gatewayFile) : null,
    folders: [
      ...new Set([
        home,
        dirname(words.configFile),
        ...words.writable,
        ...(account === undefined ? [`${home}/.ssh`] : []),
      ]),
    ],
    links,
    commands: changed.length === 0 && isDone ? [] : commandsAfter(root, changed),
    remarks: [
      ...(account === undefined || account.shell === gatewayFile ? [] : [shellRemark(account)]),
      ...(hasSshdFolder ? [] : [`sshd reads no ${sshdFolder} here: force the command as docs/ossim.md says`]),
    ],
  };
}

export function planUninstall(root: string): UninstallPlan {
  const all = [
    gatewayFile,
    `${sshdFolder}/firebreak.conf`,
    ...timers.flatMap((name) => [`${unitFolder}/${name.replace('.timer', '.service')}`, `${unitFolder}/${name}`]),
  ].filter((path) => existsSync(join(root, path)));
  const files = all.filter((path) => isUnchanged(readFileSync(join(root, path), 'utf8')));
  const left = all.filter((path) => !files.includes(path));
  const links = timers
    .filter(
      (name) =>
        readLink(join(root, linkOf(name))) === `${unitFolder}/${name}` && files.includes(`${unitFolder}/${name}`),
    )
    .map(linkOf);
  const account = readAccounts(root).find((one) => isOurs(one) && one.shell === gatewayFile);
  const isSshd = files.some((path) => path.startsWith(sshdFolder));
  return {
    root,
    files,
    links,
    removeAccount: account === undefined || !files.includes(gatewayFile) ? null : commandToRemove(root, account.name),
    before: links.length > 0 ? onLive(root, [['systemctl', 'stop', ...timers]]) : [],
    commands: onLive(root, [
      ...(files.length > 0 ? [['systemctl', 'daemon-reload']] : []),
      ...(isSshd ? [reloadSshd(root)] : []),
    ]),
    remarks: left.map((path) => `${path} stays: install did not write it, or it was changed since`),
  };
}

const sshdFolder = '/etc/ssh/sshd_config.d';
const linkOf = (timer: string): string => `${unitFolder}/timers.target.wants/${timer}`;

function plan(root: string, file: HostFile): PlannedFile {
  const there = join(root, file.path);
  if (!existsSync(there)) return { ...file, standing: 'missing' };
  const text = readFileSync(there, 'utf8');
  if (text === file.text) return { ...file, standing: 'same' };
  return { ...file, standing: isUnchanged(text) ? 'ours' : 'foreign' };
}

function refuseForeign(files: readonly PlannedFile[]): void {
  const foreign = files.filter(({ standing }) => standing === 'foreign').map(({ path }) => path);
  if (foreign.length === 0) return;
  throw new FirebreakError(
    'usage',
    `not written by firebreak install, or changed since, and never overwritten: ${foreign.join(', ')}; ` +
      'move it away first (changes to a unit belong into "systemctl edit")',
  );
}

/** Only a host that runs is told: one that is being laid out in a folder finds it when it starts. */
const onLive = (root: string, commands: string[][]): string[][] =>
  root === '/' && existsSync('/run/systemd/system') ? commands : [];

const commandsAfter = (root: string, changed: readonly HostFile[]): string[][] =>
  onLive(root, [
    ['systemctl', 'daemon-reload'],
    ['systemctl', 'start', ...timers],
    ...(changed.some(({ path }) => path.startsWith(sshdFolder)) ? [reloadSshd(root)] : []),
  ]);

/** Debian calls it ssh, others sshd. One that does not run is left so. */
function reloadSshd(root: string): string[] {
  const isDebian = ['lib', 'usr/lib'].some((folder) => existsSync(join(root, folder, 'systemd/system/ssh.service')));
  return ['systemctl', 'try-reload-or-restart', isDebian ? 'ssh.service' : 'sshd.service'];
}

const shellRemark = ({ name, shell }: Account): string =>
  `the account ${name} was there already, with ${shell} as its shell, and stays as it is: ` +
  `usermod --shell ${gatewayFile} ${name} leaves it the gateway alone`;

function readLink(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(path) : undefined;
}
