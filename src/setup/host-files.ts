import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import { findPackageRoot } from '../config/package-root.js';
import { FirebreakError, quoteBack } from '../core/errors.js';

/** What the files of a host say. Paths are those of the host itself, wherever it is being laid out. */
export interface HostWords {
  /** The account that the SIEM logs in to. */
  user: string;
  /** How this program is called, in words. */
  program: readonly string[];
  configFile: string;
  /** Folders that a run writes. */
  writable: readonly string[];
}

export interface HostFile {
  path: string;
  mode: number;
  text: string;
}

/** Where the login command lies. */
export const gatewayFile = '/usr/local/sbin/firebreak-gateway';

export const timers = ['firebreak-expire.timer', 'firebreak-drain.timer'] as const;

const services = {
  expire: 'end blocks that are past their time, try again what is due',
  drain: 'carry out what waits, try again what is due',
} as const;

/**
 * Service and timer of each thing that systemd is to do.
 * @throws FirebreakError usage, for a word that systemd or a shell would read as more than a word
 */
export function renderUnits(words: HostWords, folder: string): HostFile[] {
  refuseOdd(words);
  return Object.entries(services).flatMap(([command, description]) => [
    file(`${folder}/firebreak-${command}.service`, 0o644, 'systemd/firebreak.service', {
      ...words,
      program: words.program.join(' '),
      command,
      description,
    }),
    file(`${folder}/firebreak-${command}.timer`, 0o644, `systemd/firebreak-${command}.timer`, words),
  ]);
}

/** The login command of the SIEM's account. @throws FirebreakError usage, as above */
export function renderGateway(words: HostWords, path: string): HostFile {
  refuseOdd(words);
  return file(path, 0o755, 'host/gateway.sh', { ...words, program: words.program.join(' ') });
}

/** What sshd is to deny to that account. @throws FirebreakError usage, as above */
export function renderSshdSettings(words: HostWords, gateway: string): HostFile {
  refuseOdd(words);
  return file('/etc/ssh/sshd_config.d/firebreak.conf', 0o644, 'host/sshd.conf', { ...words, gateway });
}

function file(path: string, mode: number, template: string, context: object): HostFile {
  const source = readFileSync(join(findPackageRoot(), 'templates', `${template}.hbs`), 'utf8');
  return { path, mode, text: Handlebars.compile(source, { noEscape: true, strict: true })(context) };
}

function refuseOdd({ user, program, configFile, writable }: HostWords): void {
  if (!/^[a-z_][a-z0-9_-]{0,30}$/.test(user)) {
    throw new FirebreakError('usage', `user: expected the name of an account, got ${quoteBack(user)}`);
  }
  const odd = [...program, configFile, ...writable].find((word) => !/^\/[A-Za-z0-9._/@+-]+$/.test(word));
  if (odd === undefined) return;
  throw new FirebreakError('usage', `${quoteBack(odd)} would need quotes in a unit: give it a plain, absolute path`);
}
