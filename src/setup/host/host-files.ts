import { FirebreakError, quoteBack } from '../../core/errors.js';
import { compilePackageTemplate } from '../../runtime/templates.js';

/** What the files of a host say. Paths are those of the host itself, wherever it is being laid out. */
export interface HostWords {
  /** The account that the SIEM logs in to. */
  user: string;
  /** The account that applies alarms, and whose key, ledger and audit log are; for a trial the same one. */
  owner: string;
  /** How this program is called, in words. */
  program: readonly string[];
  configFile: string;
  /** Version of OpenSSH there, such as 9.2; 0 where it is not known. */
  openssh: number;
  /** Folders that a run writes. */
  writable: readonly string[];
}

/** OpenSSH from 9.2 on ends connections that ask for nothing; an older one would not start with the word. */
const knowsUnusedSince = 9.2;

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
    file(`${folder}/firebreak-${command}.service`, 0o644, [
      'systemd/firebreak.service',
      {
        ...words,
        program: words.program.join(' '),
        command,
        description,
      },
    ]),
    file(`${folder}/firebreak-${command}.timer`, 0o644, [`systemd/firebreak-${command}.timer`, words]),
  ]);
}

/** Whether the account that takes alarms is another one than that which applies them. */
export const isTwo = ({ user, owner }: Pick<HostWords, 'user' | 'owner'>): boolean => user !== owner;

/** The login command of the SIEM's account. @throws FirebreakError usage, as above */
export function renderGateway(words: HostWords, path: string): HostFile {
  refuseOdd(words);
  const context = { ...words, gateway: path, isTwo: isTwo(words), program: words.program.join(' ') };
  return file(path, 0o755, ['host/gateway.sh', context]);
}

export const sshdFile = '/etc/ssh/sshd_config.d/00-firebreak.conf';
export const sudoersFile = '/etc/sudoers.d/firebreak';

/** What sshd is to deny to that account. @throws FirebreakError usage, as above */
export function renderSshdSettings(words: HostWords, gateway: string): HostFile {
  refuseOdd(words);
  const knowsUnused = words.openssh >= knowsUnusedSince;
  return file(sshdFile, 0o644, ['host/sshd.conf', { ...words, gateway, knowsUnused }]);
}

/** How the one account hands an alarm to the other; none where they are the same. @throws FirebreakError usage, as above */
export function renderSudoers(words: HostWords): HostFile[] {
  refuseOdd(words);
  if (!isTwo(words)) return [];
  return [file(sudoersFile, 0o440, ['host/sudoers', { ...words, program: words.program.join(' ') }])];
}

/** @param template its path below templates/, and what is filled in */
function file(path: string, mode: number, [template, context]: readonly [string, object]): HostFile {
  return { path, mode, text: compilePackageTemplate(template)(context) };
}

function refuseOdd({ user, owner, program, configFile, writable }: HostWords): void {
  for (const [option, name] of Object.entries({ user, owner })) {
    if (/^[a-z_][a-z0-9_-]{0,30}$/.test(name)) continue;
    throw new FirebreakError('usage', `--${option}: expected the name of an account, got ${quoteBack(name)}`);
  }
  const odd = [...program, configFile, ...writable].find((word) => !/^\/[A-Za-z0-9._/@+-]+$/.test(word));
  if (odd === undefined) return;
  throw new FirebreakError('usage', `${quoteBack(odd)} would need quotes in a unit: give it a plain, absolute path`);
}
