import { lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { describeError } from '../core/describe.js';

/** The owners that a trusted file may have: root, or our own account. */
const isTrustedOwner = (uid: number): boolean => uid === 0 || uid === process.geteuid?.();

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');

/**
 * Why a file must not be trusted, and the command that fixes it; undefined if it is trusted. A trusted file belongs to
 * root or to us, and others can write neither the file nor any folder above it, because that would let them replace it.
 */
export function explainDistrust(file: string): string | undefined {
  try {
    // Checks each link on the path with its folders, and the file that the path resolves to.
    return explainLinks(file) ?? explainPath(realpathSync(file));
  } catch (error) {
    return `${file}: ${describeError(error)}`;
  }
}

function explainLinks(file: string): string | undefined {
  for (let path = file; path !== dirname(path); path = dirname(path)) {
    const status = lstatSync(path);
    if (!status.isSymbolicLink()) continue;
    const why = isTrustedOwner(status.uid)
      ? explainPath(realpathSync(dirname(path)))
      : `the link ${path} belongs to another user (uid ${status.uid}); run chown --no-dereference ${us()} ${path}`;
    if (why !== undefined) return why;
  }
  return undefined;
}

function explainPath(file: string): string | undefined {
  for (let path = file; ; path = dirname(path)) {
    const { uid, mode } = statSync(path);
    if (!isTrustedOwner(uid)) return `${path} belongs to another user (uid ${uid}); run chown ${us()} ${path}`;
    // In a sticky folder such as /tmp, others can create files but cannot remove ours.
    const isShared = path !== file && (mode & 0o1000) !== 0;
    if ((mode & 0o022) !== 0 && !isShared)
      return `others can write ${path} (mode ${octal(mode)}); run chmod go-w ${path}`;
    if (path === dirname(path)) return undefined;
  }
}

const us = (): number => process.geteuid?.() ?? 0;
