import { existsSync, lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs';
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
  hasTwoAccounts,
  renderGateway,
  renderSshdSettings,
  renderSudoers,
  renderUnits,
  sshdFile,
  sudoersFiles,
  timers,
  type HostFile,
  type HostSettings,
} from './host-files.js';
import { addChecksum, isUnchanged } from './checksum-header.js';

const unitFolder = '/etc/systemd/system';
const shippedTimer = 'lib/systemd/system/firebreak-expire.timer';
const stateHome = '/var/lib/firebreak';
/** Holds the keys that may log in. It is root's, so that the account cannot admit further keys. */
const gatewayHome = '/var/lib/firebreak-gateway';
const sshdFolder = dirname(sshdFile);
/** Its name in release 0.1. sshd uses the first of two values, so the file needs a name that sorts early. */
const formerSshdFile = `${sshdFolder}/firebreak.conf`;

/** The current state of a planned file: `ours` is one that an earlier install wrote and that was not changed since. */
export type FileState = 'missing' | 'ours' | 'same' | 'foreign';

export interface PlannedFile extends HostFile {
  state: FileState;
}

/** A folder and its owner. `account` null is root, `group` the account whose group may read it. */
export interface PlannedFolder {
  path: string;
  account: string | null;
  group: string | null;
  mode: number;
}

/** What install does, in order. Paths are the host's own, relative to `root`. */
export interface InstallPlan {
  root: string;
  files: PlannedFile[];
  /** Files of an earlier release that conflict with these. */
  former: string[];
  /** Commands that create missing accounts, and move the SIEM's account out of the home that is now the owner's. */
  accounts: string[][];
  user: string;
  owner: string;
  folders: PlannedFolder[];
  /** Folders whose files change owner: release 0.1 gave them all to the SIEM's account. */
  gives: { path: string; from: string; account: string | null; group: string | null }[];
  /** Folders that uninstall handed to root, and whose files the new account gets back. */
  returns: { path: string; account: string | null; group: string }[];
  /** Moves the keys that may log in from the account's former home. */
  keys: { from: string; to: string } | null;
  links: { path: string; target: string }[];
  commands: string[][];
  /** Problems that install does not fix. */
  remarks: string[];
}

/** What uninstall does. */
export interface UninstallPlan {
  root: string;
  files: string[];
  links: string[];
  removeAccounts: string[][];
  /** The accounts' folders, which become root's, because a later account may get the same uid. */
  leftBehind: { path: string; from: string }[];
  before: string[][];
  commands: string[][];
  remarks: string[];
}

/** Plans an install and writes nothing. @throws FirebreakError usage, if something prevents it */
export function planInstall(root: string, settings: HostSettings): InstallPlan {
  assertInstallable(root, settings);
  const { user, owner } = settings;
  const hasSshdFolder = existsSync(join(root, sshdFolder));
  const files = [
    renderGateway(settings, gatewayFile),
    ...(hasSshdFolder ? [renderSshdSettings(settings, gatewayFile)] : []),
    ...renderSudoers(settings),
    ...renderUnits(settings, unitFolder),
  ].map((file) => plan(root, { ...file, text: addChecksum(file.text) }));
  assertNoneForeign(files);
  const known = readAccounts(root);
  const account = known.find(({ name }) => name === user);
  const links = timers.map((name) => ({ path: linkOf(name), target: `${unitFolder}/${name}` }));
  const isDone = links.every(({ path, target }) => readLink(join(root, path)) === target);
  const changed = files.filter(({ state }) => state !== 'same');
  const former = [formerSshdFile].filter((path) => isOurFile(join(root, path)));
  const home = hasTwoAccounts(settings) ? gatewayHome : stateHome;
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
      ...(hasTwoAccounts(settings) && !known.some(({ name }) => name === owner)
        ? [commandToAdd(root, { name: owner, home: stateHome, shell: '/usr/sbin/nologin', comment: ownerComment })]
        : []),
    ],
    folders: planFolders(settings, account === undefined || isOurs(account)),
    gives: hasTwoAccounts(settings) && account !== undefined ? planGives(settings) : [],
    returns: planReturns(root, settings),
    keys:
      mustMove && existsSync(join(root, account.home, '.ssh/authorized_keys'))
        ? { from: `${account.home}/.ssh/authorized_keys`, to: `${home}/.ssh/authorized_keys` }
        : null,
    links,
    commands: changed.length + former.length === 0 && isDone ? [] : commandsAfter(root, changed),
    remarks: [
      ...(account === undefined || account.shell === gatewayFile ? [] : [shellRemark(account)]),
      ...(hasSshdFolder
        ? []
        : [`sshd does not read ${sshdFolder} on this host: force the command as described in docs/ossim.md`]),
      ...(hasTwoAccounts(settings)
        ? []
        : [`${user} both receives and applies alarms, which is for trials only; --owner firebreak uses two accounts`]),
    ],
  };
}

function assertInstallable(root: string, settings: HostSettings): void {
  if (existsSync(join(root, shippedTimer)) || existsSync(join(root, 'usr', shippedTimer))) {
    throw new FirebreakError('usage', 'the Debian package has already set up this host: there is nothing to install');
  }
  const { user, owner } = settings;
  if (hasTwoAccounts(settings) && root === '/' && !['/usr/bin/sudo', '/bin/sudo'].some(existsSync)) {
    throw new FirebreakError(
      'usage',
      `${user} needs sudo to pass alarms to ${owner}: run apt-get install sudo, or for a trial use --owner ${user}`,
    );
  }
}

function planFolders(settings: HostSettings, isOurAccount: boolean): PlannedFolder[] {
  const { user, owner, configFile, writable } = settings;
  const ofOwner = (path: string): PlannedFolder => ({ path, account: owner, group: owner, mode: 0o700 });
  const ofRoot = (path: string, mode: number, group: string | null = null): PlannedFolder => ({
    ...{ path, account: null, group, mode },
  });
  const written = [...new Set([stateHome, ...writable])].map(ofOwner);
  if (!hasTwoAccounts(settings)) {
    const ssh = isOurAccount ? [`${stateHome}/.ssh`] : [];
    return [
      ...written,
      ofOwner(dirname(configFile)),
      ...ssh.map((path) => ({ ...ofOwner(path), account: user, group: user })),
    ];
  }
  return [
    ...written,
    ofRoot(dirname(configFile), 0o750, owner),
    ...(isOurAccount ? [ofRoot(gatewayHome, 0o755), ofRoot(`${gatewayHome}/.ssh`, 0o755)] : []),
  ];
}

/** No other command leaves such a folder to root and root's group. */
function planReturns(root: string, { owner }: HostSettings): InstallPlan['returns'] {
  const all = [
    ...[stateHome, '/var/log/firebreak'].map((path) => ({ path, account: owner, group: owner })),
    { path: '/etc/firebreak', account: null, group: owner },
  ];
  return all.filter(({ path }) => {
    const status = statSync(join(root, path), { throwIfNoEntry: false });
    return status?.isDirectory() === true && status.uid === 0 && status.gid === 0;
  });
}

const planGives = ({ user, owner, configFile, writable }: HostSettings): InstallPlan['gives'] => [
  ...[...new Set([stateHome, ...writable])].map((path) => ({ path, from: user, account: owner, group: owner })),
  { path: dirname(configFile), from: user, account: null, group: owner },
];

export function planUninstall(root: string): UninstallPlan {
  const all = [
    gatewayFile,
    sshdFile,
    formerSshdFile,
    ...sudoersFiles,
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
    before: links.length > 0 ? ifRunning(root, [['systemctl', 'stop', ...timers]]) : [],
    commands: ifRunning(root, [
      ...(files.length > 0 ? [['systemctl', 'daemon-reload']] : []),
      ...(isSshd ? [reloadSshd(root)] : []),
    ]),
    remarks: left.map((path) => `${path} is left in place: install did not write it, or it was changed since`),
  };
}

const isOurFile = (path: string): boolean => existsSync(path) && isUnchanged(readFileSync(path, 'utf8'));

const linkOf = (timer: string): string => `${unitFolder}/timers.target.wants/${timer}`;

function plan(root: string, file: HostFile): PlannedFile {
  const existing = join(root, file.path);
  if (!existsSync(existing)) return { ...file, state: 'missing' };
  const text = readFileSync(existing, 'utf8');
  if (text === file.text) return { ...file, state: 'same' };
  return { ...file, state: isUnchanged(text) ? 'ours' : 'foreign' };
}

function assertNoneForeign(files: readonly PlannedFile[]): void {
  const foreign = files.filter(({ state }) => state === 'foreign').map(({ path }) => path);
  if (foreign.length === 0) return;
  throw new FirebreakError(
    'usage',
    `install does not overwrite files that it did not write or that were changed since: ${foreign.join(', ')}; ` +
      'move them away first (change a unit with "systemctl edit")',
  );
}

/** The commands, if this is the running host: one that is prepared in a folder picks up its files when it boots. */
const ifRunning = (root: string, commands: string[][]): string[][] =>
  root === '/' && existsSync('/run/systemd/system') ? commands : [];

const commandsAfter = (root: string, changed: readonly HostFile[]): string[][] =>
  ifRunning(root, [
    ['systemctl', 'daemon-reload'],
    ['systemctl', 'start', ...timers],
    ...(changed.some(({ path }) => path.startsWith(sshdFolder)) ? [reloadSshd(root)] : []),
  ]);

/** The service is ssh on Debian, sshd elsewhere. If it is not running, it is not started. */
function reloadSshd(root: string): string[] {
  const isDebian = ['lib', 'usr/lib'].some((folder) => existsSync(join(root, folder, 'systemd/system/ssh.service')));
  return ['systemctl', 'try-reload-or-restart', isDebian ? 'ssh.service' : 'sshd.service'];
}

const shellRemark = ({ name, shell }: Account): string =>
  `the account ${name} already exists with the shell ${shell} and is not changed: ` +
  `run usermod --shell ${gatewayFile} ${name} to limit it to the gateway`;

function readLink(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(path) : undefined;
}
