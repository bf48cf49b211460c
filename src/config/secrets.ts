import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { describeError } from '../core/describe.js';
import type { Problem } from '../core/errors.js';
import type { Config } from './schema.js';
import { explainDistrust } from './trusted.js';

const secretName = /pass(word|wd|phrase)?$|_pass_|secret|token|private_key$/i;

/** Secrets live in files of their own: what stands in the configuration would end in a run's inventory. */
export function findInlineSecrets(config: Config, mode: number): Problem[] {
  const exposed =
    (mode & 0o077) === 0 ? '' : ` (and others can read this file, mode ${octal(mode)}: change that secret)`;
  return Object.entries(config.firewalls).flatMap(([name, firewall]) =>
    Object.keys(firewall.vars)
      .filter((key) => secretName.test(key))
      .map((key) => ({
        path: `firewalls.${name}.vars.${key}`,
        message: `a secret belongs in a file with mode 0600, named by password_file or become_password_file${exposed}`,
      })),
  );
}

/** Each file that the configuration names must be there and be ours to believe, and a secret one for its owner alone. */
export function findFileProblems(config: Config, folder: string): Problem[] {
  const { gid, mode } = findFolder(config.state_dir);
  const open = (mode & 0o022) === 0 ? [] : [{ path: 'state_dir', message: explainOpen(config.state_dir, mode) }];
  const problems = namedFiles(config, folder).flatMap(({ path, file, secret }) => {
    const message = explainFile(file, secret, gid);
    return message === undefined ? [] : [{ path, message }];
  });
  return [...open, ...problems];
}

interface NamedFile {
  path: string;
  file: string;
  secret: boolean;
}

function namedFiles(config: Config, folder: string): NamedFile[] {
  const files: NamedFile[] = [];
  const add = (path: string, file: string | undefined, secret: boolean): void => {
    if (file !== undefined) files.push({ path, file, secret });
  };
  for (const [name, firewall] of Object.entries(config.firewalls)) {
    add(`firewalls.${name}.private_key_file`, firewall.private_key_file, true);
    add(`firewalls.${name}.password_file`, firewall.password_file, true);
    add(`firewalls.${name}.become_password_file`, firewall.become_password_file, true);
    add(`firewalls.${name}.known_hosts_file`, firewall.known_hosts_file, false);
  }
  add('mail.password_file', config.mail?.password_file, true);
  add('mail.ca_file', config.mail?.ca_file, false);
  add('templates_dir', config.templates_dir, false);
  add('webhook.url_file', config.webhook?.url_file, true);
  add('webhook.secret_file', config.webhook?.secret_file, true);
  add('webhook.headers_file', config.webhook?.headers_file, true);
  add('webhook.template', config.webhook?.template, false);
  add('webhook.ca_file', config.webhook?.ca_file, false);
  if (config.ansible.playbook_command.includes('/'))
    add('ansible.playbook_command', findProgramFile(config.ansible.playbook_command), false);
  for (const { text } of config.policy.never_block)
    if (text.startsWith('@')) add('policy.never_block', resolve(folder, text.slice(1)), false);
  return files;
}

/** A program that is not there is told with what to install, when it is needed. */
const findProgramFile = (file: string): string | undefined => (existsSync(file) ? file : undefined);

function findFolder(folder: string): { gid: number | undefined; mode: number } {
  try {
    return statSync(folder);
  } catch {
    return { gid: undefined, mode: 0 }; // not there yet, or not ours to see
  }
}

const explainOpen = (folder: string, mode: number): string =>
  `others may change ${folder} (mode ${octal(mode)}): chmod 700 ${folder}`;

function explainFile(file: string, secret: boolean, stateGroup: number | undefined): string | undefined {
  try {
    const { mode, uid, gid } = statSync(file);
    const foreign = explainDistrust(file);
    if (foreign !== undefined || !secret) return foreign;
    // Root's, and to be read by the group of the account that we are, or go on as.
    const isShared = uid === 0 && (gid === 0 || gid === process.getegid?.() || gid === stateGroup);
    if ((mode & (isShared ? 0o037 : 0o077)) === 0) return undefined;
    return `others can read ${file} (mode ${octal(mode)}): chmod 600 ${file}`;
  } catch (error) {
    return `${file}: ${describeError(error)}`;
  }
}

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');
