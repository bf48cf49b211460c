import { execa, execaSync } from 'execa';

/** What sshd must say for the account that takes alarms; its words are those of `sshd -T`. */
const wanted: Readonly<Record<string, string>> = {
  disableforwarding: 'yes',
  permittty: 'no',
  permituserrc: 'no',
  permituserenvironment: 'no',
};

/**
 * Asks sshd what it would hold an account to, by all its files together: of two values the first one counts, and the
 * first need not be ours. Takes root.
 * @returns what is not as it should be, in words; undefined where sshd cannot be asked
 */
export async function findSshdFaults(user: string, gateway: string): Promise<string[] | undefined> {
  const who = `user=${user},host=localhost,addr=127.0.0.1`;
  const asked = await execa('/usr/sbin/sshd', ['-T', '-C', who], { reject: false, stdin: 'ignore', timeout: 10_000 });
  if (asked.exitCode !== 0) return undefined;
  return compareSettings(asked.stdout, gateway);
}

/** The same of what `sshd -T` printed. */
export function compareSettings(printed: string, gateway: string): string[] {
  const lines = printed.split('\n').map((line) => line.trim());
  const valueOf = (name: string): string =>
    lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? 'not set';
  const odd = Object.entries({ forcecommand: gateway, ...wanted })
    .filter(([name, value]) => valueOf(name) !== value)
    .map(([name, value]) => `${name} is ${valueOf(name)}, not ${value}`);
  const foreign = lines
    .filter((line) => line.startsWith('acceptenv '))
    .flatMap((line) => line.split(' ').slice(1))
    .filter((name) => !/^(LANG|LC_.*|COLORTERM|NO_COLOR)$/.test(name));
  return [...odd, ...(foreign.length > 0 ? [`acceptenv takes ${foreign.join(', ')} from the caller`] : [])];
}

/** Version of this host's OpenSSH, such as 9.2; 0 where it does not say. */
export function findSshVersion(): number {
  const { stderr } = execaSync('ssh', ['-V'], { reject: false, stdin: 'ignore', timeout: 10_000 });
  return Number(/OpenSSH_(\d{1,3}\.\d{1,3})/.exec(stderr)?.[1] ?? 0);
}
