import { lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { describeError } from '../core/describe.js';

/** Whom a file may belong to: root, or the account that we are. */
const isOurs = (uid: number): boolean => uid === 0 || uid === process.geteuid?.();

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');

/**
 * Why a file must not be believed, and the command that mends it; undefined where it may be. It must belong to root or
 * to us, and nobody else may write it, nor any folder on the way to it: whoever can is as good as its owner.
 */
export function explainDistrust(file: string): string | undefined {
  try {
    // Each link and each folder that it goes through is looked at, and where it ends.
    return explainLinks(file) ?? explainPath(realpathSync(file));
  } catch (error) {
    return `${file}: ${describeError(error)}`;
  }
}

function explainLinks(file: string): string | undefined {
  for (let path = file; path !== dirname(path); path = dirname(path)) {
    const status = lstatSync(path);
    if (!status.isSymbolicLink()) continue;
    const why = isOurs(status.uid)
      ? explainPath(realpathSync(dirname(path)))
      : `the link ${path} belongs to somebody else (uid ${status.uid}): chown --no-dereference ${us()} ${path}`;
    if (why !== undefined) return why;
  }
  return undefined;
}

function explainPath(file: string): string | undefined {
  for (let path = file; ; path = dirname(path)) {
    const { uid, mode } = statSync(path);
    if (!isOurs(uid)) return `${path} belongs to somebody else (uid ${uid}): chown ${us()} ${path}`;
    // In a folder such as /tmp others may make files, and take away none of ours.
    const isShared = path !== file && (mode & 0o1000) !== 0;
    if ((mode & 0o022) !== 0 && !isShared) return `others may change ${path} (mode ${octal(mode)}): chmod go-w ${path}`;
    if (path === dirname(path)) return undefined;
  }
}

const us = (): number => process.geteuid?.() ?? 0;
