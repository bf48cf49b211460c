import { existsSync, statSync } from 'node:fs';
import { describeError } from '../core/describe.js';
import type { Problem } from '../core/errors.js';
import type { NamedFile } from './named-files.js';
import type { Config } from './schema.js';
import { explainDistrust } from './trusted.js';

const secretName = /pass(word|wd|phrase)?$|_pass_|secret|token|private_key$/i;

/** Secrets belong in separate files, because values of the configuration end up in a run's inventory. */
export function findInlineSecrets(config: Config, mode: number): Problem[] {
  const exposed =
    (mode & 0o077) === 0 ? '' : `; change the secret, because others can read this file (mode ${octal(mode)})`;
  return Object.entries(config.firewalls).flatMap(([name, firewall]) =>
    Object.keys(firewall.vars)
      .filter((key) => secretName.test(key))
      .map((key) => ({
        path: `firewalls.${name}.vars.${key}`,
        message: `a secret belongs in a file with mode 0600, named by password_file or become_password_file${exposed}`,
      })),
  );
}

/** Each file that the configuration names must exist and be trusted, and others must not be able to read a secret. */
export function findFileProblems(stateDir: string, files: readonly NamedFile[]): Problem[] {
  const { uid, gid, mode } = findFolder(stateDir);
  const open = (mode & 0o022) === 0 ? [] : [{ path: 'state_dir', message: explainOpen(stateDir, mode) }];
  const problems = files.filter(mustExist).flatMap(({ key, file, kind }) => {
    const message = explainFile(file, kind === 'secretFile', { uid, gid });
    return message === undefined ? [] : [{ path: key, message }];
  });
  return [...open, ...problems];
}

/** A program that does not exist is reported, with what to install, when it is needed. */
function mustExist({ file, kind }: NamedFile): boolean {
  if (kind === 'program') return file.includes('/') && existsSync(file);
  if (kind === 'protected') return existsSync(file); // reading the list reports this, or uses its last content
  return kind !== 'path';
}

/** The owner of the state folder: the account that applies changes. */
interface Owner {
  uid: number | undefined;
  gid: number | undefined;
}

function findFolder(folder: string): Owner & { mode: number } {
  try {
    return statSync(folder);
  } catch {
    return { uid: undefined, gid: undefined, mode: 0 }; // missing, or not accessible
  }
}

const explainOpen = (folder: string, mode: number): string =>
  `others can write ${folder} (mode ${octal(mode)}); run chmod 700 ${folder}`;

function explainFile(file: string, secret: boolean, owner: Owner): string | undefined {
  try {
    const { mode, uid, gid } = statSync(file);
    const foreign = explainDistrust(file, process.geteuid?.() === 0 ? (owner.uid ?? 0) : undefined);
    if (foreign !== undefined || !secret) return foreign;
    // Owned by root, and readable by the group of our account or of the state folder's owner.
    const isShared = uid === 0 && (gid === 0 || gid === process.getegid?.() || gid === owner.gid);
    if ((mode & (isShared ? 0o037 : 0o077)) === 0) return undefined;
    return `others can read ${file} (mode ${octal(mode)}); run chmod 600 ${file}`;
  } catch (error) {
    return `${file}: ${describeError(error)}`;
  }
}

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');
