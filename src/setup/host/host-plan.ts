import { existsSync, lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FirebreakError } from '../../core/errors.js';
import {
  commandToAdd,
  commandToMove,
  commandToRemove,
  gatewayComment,
  isOurs,
  ownerComment,
  readAccounts,
  type Account,
} from '../../runtime/account.js';
import {
  gatewayFile,
  isTwo,
  renderGateway,
  renderSshdSettings,
  renderSudoers,
  renderUnits,
  sshdFile,
  sudoersFile,
  timers,
  type HostFile,
  type HostWords,
} from './host-files.js';
import { addMark, isUnchanged } from './checksum-header.js';

const unitFolder = '/etc/systemd/system';
const shippedTimer = 'lib/systemd/system/firebreak-expire.timer';
const stateHome = '/var/lib/firebreak';
/** Where the keys lie that may log in: root's, so that who logs in cannot let others in. */
const gatewayHome = '/var/lib/firebreak-gateway';
const sshdFolder = dirname(sshdFile);
/** What release 0.1 called it: sshd takes the first of two values, and an earlier name wins. */
const formerSshdFile = `${sshdFolder}/firebreak.conf`;

/** How a file that is to be written stands now: `ours` is one that we wrote once, and nobody changed. */
export type FileState = 'missing' | 'ours' | 'same' | 'foreign';

export interface PlannedFile extends HostFile {
  state: FileState;
}

/** A folder, and whose it is to be. `account` null is root, `group` the account whose group may read it. */
export interface PlannedFolder {
  path: string;
  account: string | null;
  group: string | null;
  mode: number;
}

/** What a host gets, in the order in which it gets it. Paths are the host's own; `root` stands before them. */
export interface InstallPlan {
  root: string;
  files: PlannedFile[];
  /** Files of an earlier release that are in the way of these. */
  former: string[];
  /** Makes the accounts that are not there, and moves one of ours that had the other's home. */
  accounts: string[][];
  user: string;
  owner: string;
  folders: PlannedFolder[];
  /** A folder whose files go from one account to the other: all was the SIEM's account's once. */
  gives: { path: string; from: string; account: string | null; group: string | null }[];
  /** Keys that may log in, from the home that the account had. */
  keys: { from: string; to: string } | null;
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
  removeAccounts: string[][];
  /** Folders that were theirs and become root's: a number that is free again is somebody else's tomorrow. */
  leftBehind: { path: string; from: string }[];
  before: string[][];
  commands: string[][];
  remarks: string[];
}

/** @throws FirebreakError usage, where something is in the way; nothing is written here */
export function planInstall(root: string, words: HostWords): InstallPlan {
  if (existsSync(join(root, shippedTimer)) || existsSync(join(root, 'usr', shippedTimer))) {
    throw new FirebreakError('usage', 'the Debian package has set this host up already: nothing is left to install');
  }
  const { user, owner } = words;
  if (isTwo(words) && root === '/' && !['/usr/bin/sudo', '/bin/sudo'].some(existsSync)) {
    throw new FirebreakError(
      'usage',
      `sudo is not here, by which ${user} hands alarms to ${owner}: apt-get install sudo, or for a trial --owner ${user}`,
    );
  }
  const hasSshdFolder = existsSync(join(root, sshdFolder));
  const files = [
    renderGateway(words, gatewayFile),
    ...(hasSshdFolder ? [renderSshdSettings(words, gatewayFile)] : []),
    ...renderSudoers(words),
    ...renderUnits(words, unitFolder),
  ].map((file) => plan(root, { ...file, text: addMark(file.text) }));
  refuseForeign(files);
  const known = readAccounts(root);
  const account = known.find(({ name }) => name === user);
  const links = timers.map((name) => ({ path: linkOf(name), target: `${unitFolder}/${name}` }));
  const isDone = links.every(({ path, target }) => readLink(join(root, path)) === target);
  const changed = files.filter(({ state }) => state !== 'same');
  const former = [formerSshdFile].filter((path) => isOurFile(join(root, path)));
  const home = isTwo(words) ? gatewayHome : stateHome;
  const mustMove = account !== undefined && isOurs(account) && account.home !== home;
  return {
    root,
    files,
    former,
    user,
    owner,
    accounts: [
      ...(account === undefined
        ? [commandToAdd(root, { name: user, home, shell: gatewayFile, comment: gatewayComment })]
        : []),
      ...(mustMove ? [commandToMove(root, user, home)] : []),
      ...(isTwo(words) && !known.some(({ name }) => name === owner)
        ? [commandToAdd(root, { name: owner, home: stateHome, shell: '/usr/sbin/nologin', comment: ownerComment })]
        : []),
    ],
    folders: planFolders(words, account === undefined || isOurs(account)),
    gives: isTwo(words) && account !== undefined ? planGives(words) : [],
    keys:
      mustMove && existsSync(join(root, account.home, '.ssh/authorized_keys'))
        ? { from: `${account.home}/.ssh/authorized_keys`, to: `${home}/.ssh/authorized_keys` }
        : null,
    links,
    commands: changed.length + former.length === 0 && isDone ? [] : commandsAfter(root, changed),
    remarks: [
      ...(account === undefined || account.shell === gatewayFile ? [] : [shellRemark(account)]),
      ...(hasSshdFolder ? [] : [`sshd reads no ${sshdFolder} here: force the command as docs/ossim.md says`]),
      ...(isTwo(words) ? [] : [`${user} takes alarms and applies them: for a trial. --owner firebreak makes it two`]),
    ],
  };
}

function planFolders(words: HostWords, isOurAccount: boolean): PlannedFolder[] {
  const { user, owner, configFile, writable } = words;
  const own = (path: string): PlannedFolder => ({ path, account: owner, group: owner, mode: 0o700 });
  const roots = (path: string, mode: number, group: string | null = null): PlannedFolder => ({
    ...{ path, account: null, group, mode },
  });
  const written = [...new Set([stateHome, ...writable])].map(own);
  if (!isTwo(words)) {
    const ssh = isOurAccount ? [`${stateHome}/.ssh`] : [];
    return [...written, own(dirname(configFile)), ...ssh.map((path) => ({ ...own(path), account: user, group: user }))];
  }
  return [
    ...written,
    roots(dirname(configFile), 0o750, owner),
    ...(isOurAccount ? [roots(gatewayHome, 0o755), roots(`${gatewayHome}/.ssh`, 0o755)] : []),
  ];
}

const planGives = ({ user, owner, configFile, writable }: HostWords): InstallPlan['gives'] => [
  ...[...new Set([stateHome, ...writable])].map((path) => ({ path, from: user, account: owner, group: owner })),
  { path: dirname(configFile), from: user, account: null, group: owner },
];

export function planUninstall(root: string): UninstallPlan {
  const all = [
    gatewayFile,
    sshdFile,
    formerSshdFile,
    sudoersFile,
    ...timers.flatMap((name) => [`${unitFolder}/${name.replace('.timer', '.service')}`, `${unitFolder}/${name}`]),
  ].filter((path) => existsSync(join(root, path)));
  const files = all.filter((path) => isOurFile(join(root, path)));
  const left = all.filter((path) => !files.includes(path));
  const links = timers
    .filter(
      (name) =>
        readLink(join(root, linkOf(name))) === `${unitFolder}/${name}` && files.includes(`${unitFolder}/${name}`),
    )
    .map(linkOf);
  const accounts = files.includes(gatewayFile)
    ? readAccounts(root).filter((one) => isOurs(one) && (one.shell === gatewayFile || one.home === stateHome))
    : [];
  const isSshd = files.some((path) => path.startsWith(sshdFolder));
  const theirs = [stateHome, gatewayHome, '/var/log/firebreak', '/etc/firebreak'];
  return {
    root,
    files,
    links,
    removeAccounts: accounts.map(({ name }) => commandToRemove(root, name)),
    leftBehind: accounts.flatMap(({ name }) => theirs.map((path) => ({ path, from: name }))),
    before: links.length > 0 ? onLive(root, [['systemctl', 'stop', ...timers]]) : [],
    commands: onLive(root, [
      ...(files.length > 0 ? [['systemctl', 'daemon-reload']] : []),
      ...(isSshd ? [reloadSshd(root)] : []),
    ]),
    remarks: left.map((path) => `${path} stays: install did not write it, or it was changed since`),
  };
}

const isOurFile = (path: string): boolean => existsSync(path) && isUnchanged(readFileSync(path, 'utf8'));

const linkOf = (timer: string): string => `${unitFolder}/timers.target.wants/${timer}`;

function plan(root: string, file: HostFile): PlannedFile {
  const there = join(root, file.path);
  if (!existsSync(there)) return { ...file, state: 'missing' };
  const text = readFileSync(there, 'utf8');
  if (text === file.text) return { ...file, state: 'same' };
  return { ...file, state: isUnchanged(text) ? 'ours' : 'foreign' };
}

function refuseForeign(files: readonly PlannedFile[]): void {
  const foreign = files.filter(({ state }) => state === 'foreign').map(({ path }) => path);
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
