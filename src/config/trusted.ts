import { lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { describeError } from '../core/describe.js';

/** The owners that a trusted file may have: root, our own account, or the one that root continues as. */
const isTrustedOwner = (uid: number, owner?: number): boolean =>
  uid === 0 || uid === process.geteuid?.() || uid === owner;

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');

/**
 * Why a file must not be trusted, and the command that fixes it; undefined if it is trusted. A trusted file belongs to
 * root or to us, and others can write neither the file nor any folder above it, because that would let them replace it.
 * @param owner the account that owns the state folder, if it is known; root continues as this account
 */
export function explainDistrust(file: string, owner?: number): string | undefined {
  try {
    // Checks each link on the path with its folders, and the file that the path resolves to.
    return explainLinks(file, owner) ?? explainPath(realpathSync(file), owner);
  } catch (error) {
    return `${file}: ${describeError(error)}`;
  }
}

function explainLinks(file: string, owner?: number): string | undefined {
  for (let path = file; path !== dirname(path); path = dirname(path)) {
    const status = lstatSync(path);
    if (!status.isSymbolicLink()) continue;
    const why = isTrustedOwner(status.uid, owner)
      ? explainPath(realpathSync(dirname(path)), owner)
      : `the link ${path} belongs to another user (uid ${status.uid}); ${adviseOn(path, status.uid, owner).replace('chown', 'chown --no-dereference')}`;
    if (why !== undefined) return why;
  }
  return undefined;
}

function explainPath(file: string, owner?: number): string | undefined {
  for (let path = file; ; path = dirname(path)) {
    const { uid, mode } = statSync(path);
    if (!isTrustedOwner(uid, owner))
      return `${path} belongs to another user (uid ${uid}); ${adviseOn(path, uid, owner)}`;
    // In a sticky folder such as /tmp, others can create files but cannot remove ours.
    const isShared = path !== file && (mode & 0o1000) !== 0;
    if ((mode & 0o022) !== 0 && !isShared)
      return `others can write ${path} (mode ${octal(mode)}); run chmod go-w ${path}`;
    if (path === dirname(path)) return undefined;
  }
}

/** Never takes a file away from the account whose installation it may be. */
const adviseOn = (path: string, uid: number, owner: number | undefined): string =>
  owner === undefined ? `run firebreak as that user: sudo -u '#${uid}' firebreak` : `run chown ${owner} ${path}`;
