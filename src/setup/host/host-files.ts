import { FirebreakError, quoteBack } from '../../core/errors.js';
import { compilePackageTemplate } from '../../runtime/templates.js';

/** What the files of a host are made from. Paths are those of the host itself, whatever the root. */
export interface HostSettings {
  /** The account that the SIEM logs in to. */
  user: string;
  /** The account that applies alarms, and owns the key, ledger and audit log; in a trial, the same account. */
  owner: string;
  /** The command line of this program, as arguments. */
  program: readonly string[];
  /** The words that precede it for an alarm, to try a running Firebreak first; none on a host without Python. */
  handOver: readonly string[];
  configFile: string;
  /** The host's version of OpenSSH, such as 9.2; 0 if it is unknown. */
  openssh: number;
  /** Folders that a run writes. */
  writable: readonly string[];
}

/** OpenSSH before 9.2 does not know UnusedConnectionTimeout, and would not start with it. */
const knowsUnusedSince = 9.2;

export interface HostFile {
  path: string;
  mode: number;
  text: string;
}

/** The login command. */
export const gatewayFile = '/usr/local/sbin/firebreak-gateway';

export const timers = ['firebreak-expire.timer', 'firebreak-drain.timer'] as const;

const services = {
  expire: 'remove expired blocks, retry what is due',
  drain: 'apply pending changes, retry what is due',
} as const;

/**
 * The service and timer of each command that systemd runs.
 * @throws FirebreakError usage, for a value that systemd or a shell would not read as a single word
 */
export function renderUnits(settings: HostSettings, folder: string): HostFile[] {
  assertPlain(settings);
  return Object.entries(services).flatMap(([command, description]) => [
    file(`${folder}/firebreak-${command}.service`, 0o644, [
      'systemd/firebreak.service',
      {
        ...settings,
        program: settings.program.join(' '),
        command,
        description,
      },
    ]),
    file(`${folder}/firebreak-${command}.timer`, 0o644, [`systemd/firebreak-${command}.timer`, settings]),
  ]);
}

/** Whether the account that receives alarms differs from the one that applies them. */
export const hasTwoAccounts = ({ user, owner }: Pick<HostSettings, 'user' | 'owner'>): boolean => user !== owner;

/** The login command of the SIEM's account. @throws FirebreakError usage, as above */
export function renderGateway(settings: HostSettings, path: string): HostFile {
  assertPlain(settings);
  const context = { ...toWords(settings), gateway: path, isTwo: hasTwoAccounts(settings) };
  return file(path, 0o755, ['host/gateway.sh', context]);
}

export const sshdFile = '/etc/ssh/sshd_config.d/00-firebreak.conf';
export const sudoersFiles = ['/etc/sudoers.d/firebreak', '/etc/sudoers.d/firebreak-hand-over'] as const;

/** The sshd settings that limit that account. @throws FirebreakError usage, as above */
export function renderSshdSettings(settings: HostSettings, gateway: string): HostFile {
  assertPlain(settings);
  const knowsUnused = settings.openssh >= knowsUnusedSince;
  return file(sshdFile, 0o644, ['host/sshd.conf', { ...settings, gateway, knowsUnused }]);
}

/** The sudo rules that pass alarms from one account to the other; none if they are the same. @throws FirebreakError usage, as above */
export function renderSudoers(settings: HostSettings): HostFile[] {
  assertPlain(settings);
  if (!hasTwoAccounts(settings)) return [];
  const context = toWords(settings);
  const [ruleFile, handOverFile] = sudoersFiles;
  return [
    file(ruleFile, 0o440, ['host/sudoers', context]),
    ...(context.handOver === '' ? [] : [file(handOverFile, 0o440, ['host/sudoers-hand-over', context])]),
  ];
}

/** The settings with their commands as text. */
const toWords = (settings: HostSettings) => ({
  ...settings,
  handOver: settings.handOver.join(' '),
  program: settings.program.join(' '),
});

/** @param template its path below templates/, and its context */
function file(path: string, mode: number, [template, context]: readonly [string, object]): HostFile {
  return { path, mode, text: compilePackageTemplate(template)(context) };
}

function assertPlain({ user, owner, program, handOver, configFile, writable }: HostSettings): void {
  for (const [option, name] of Object.entries({ user, owner })) {
    if (/^[a-z_][a-z0-9_-]{0,30}$/.test(name)) continue;
    throw new FirebreakError('usage', `--${option}: expected an account name, got ${quoteBack(name)}`);
  }
  const paths = [...program, ...handOver.filter((word) => !word.startsWith('-')), configFile, ...writable];
  const odd = paths.find((word) => !/^\/[A-Za-z0-9._/@+-]+$/.test(word));
  if (odd === undefined) return;
  throw new FirebreakError(
    'usage',
    `expected an absolute path without characters that need quotes, got ${quoteBack(odd)}`,
  );
}
