import { execa, execaSync } from 'execa';

/** Required settings of the account that accepts alarms, as `sshd -T` prints them. */
const required: Readonly<Record<string, string>> = {
  disableforwarding: 'yes',
  permittty: 'no',
  permituserrc: 'no',
  permituserenvironment: 'no',
};

/**
 * Queries sshd for the effective settings of an account, from all its files: of two values the first one counts, and
 * that may not be ours. Requires root.
 * @returns a description of each wrong setting; undefined if sshd cannot be queried
 */
export async function findSshdFaults(user: string, gateway: string): Promise<string[] | undefined> {
  const connection = `user=${user},host=localhost,addr=127.0.0.1`;
  const result = await execa('/usr/sbin/sshd', ['-T', '-C', connection], {
    reject: false,
    stdin: 'ignore',
    timeout: 10_000,
  });
  if (result.exitCode !== 0) return undefined;
  return compareSettings(result.stdout, gateway);
}

/** Compares the output of `sshd -T` with the required settings. */
export function compareSettings(printed: string, gateway: string): string[] {
  const lines = printed.split('\n').map((line) => line.trim());
  const valueOf = (name: string): string =>
    lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? 'not set';
  const wrong = Object.entries({ forcecommand: gateway, ...required })
    .filter(([name, value]) => valueOf(name) !== value)
    .map(([name, value]) => `${name} is ${valueOf(name)}, not ${value}`);
  const foreign = lines
    .filter((line) => line.startsWith('acceptenv '))
    .flatMap((line) => line.split(' ').slice(1))
    .filter((name) => !/^(LANG|LC_.*|COLORTERM|NO_COLOR)$/.test(name));
  return [...wrong, ...(foreign.length > 0 ? [`acceptenv accepts ${foreign.join(', ')} from the caller`] : [])];
}

/** Version of this host's OpenSSH, such as 9.2; 0 if unknown. */
export function findSshVersion(): number {
  const { stderr } = execaSync('ssh', ['-V'], { reject: false, stdin: 'ignore', timeout: 10_000 });
  return Number(/OpenSSH_(\d{1,3}\.\d{1,3})/.exec(stderr)?.[1] ?? 0);
}
